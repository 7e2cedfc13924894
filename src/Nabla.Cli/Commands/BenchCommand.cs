using System.CommandLine;
using System.Globalization;

namespace Nabla.Cli;

/// <summary>What <c>nabla bench</c> is asked.</summary>
/// <param name="Suites">Names of suites, or all; empty: train.</param>
/// <param name="Workloads">Workloads of the suite train; empty: all.</param>
/// <param name="Rounds">Rounds of each measurement; null: the default.</param>
/// <param name="Threads">Threads of both sides; null: one for each core.</param>
/// <param name="Precision">Precision of Nabla's side; null: auto.</param>
/// <param name="OutputFile">File that takes the JSON result; null: none.</param>
/// <param name="PlotFile">File that takes the plot; null: none.</param>
/// <param name="Check">Whether a must that does not hold is a failure.</param>
/// <param name="SkipMemory">Whether memory is left out.</param>
/// <param name="Side">Take some steps of one side only, and say the memory that they needed; null: measure as usual.</param>
/// <param name="Device">cpu, cuda or cuda:n; null: cpu.</param>
internal sealed record BenchRequest(
    IReadOnlyList<string> Suites, IReadOnlyList<string> Workloads, int? Rounds, int? Threads, string? Precision, string? OutputFile, string? PlotFile, bool Check, bool SkipMemory, string? Side, string? Device);

/// <summary><c>nabla bench train --workload W6</c></summary>
internal static class BenchCommand
{
    private const string Description = """
        Measure Nabla against raw TorchSharp and against this machine.

        Suites: machine (peak multiply-add rates and memory bandwidth), train (one training step of each workload W1 to W8, and the memory
        of W6), optimizer (AdamW against a direct fused call), loader (batches a second), kernels (own operations against plain ones),
        startup (processes from their start), checkpoint (writing and reading W6), all. The raw side is benchmarks/Baselines, in float32,
        as users of TorchSharp write it. Both sides run in this process, with the same threads, in turns A B B A; a ratio is the median
        of the rounds, low and high are their 10 % and 90 % quantiles. The machine should do nothing else meanwhile.
        """;

    public static Command Create(CommandRunner runner, CommandHandler<BenchRequest> handler)
    {
        Argument<string[]> suites = new("suite") { HelpName = "SUITE", Description = "Suites to run. Default: train", Arity = ArgumentArity.ZeroOrMore };
        Option<string[]> workloads = new("--workload") { HelpName = "NAME", Description = "Only this workload of the suite train, such as W6. Can be given more than once.", Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };
        Option<string?> rounds = new("--rounds") { HelpName = "N", Description = "Rounds of each measurement, from 1. Default: 7" };
        Option<string?> threads = new("--threads") { HelpName = "N", Description = "Threads of both sides. Default: one for each core" };
        Option<string?> precision = new("--precision") { HelpName = "NAME", Description = "Precision of Nabla's side: auto, float32, bfloat16-mixed or float16-mixed. Default: auto" };
        Option<string?> output = new("--out") { HelpName = "FILE", Description = "Also write the result as JSON to this file." };
        Option<string?> plot = new("--plot") { HelpName = "FILE", Description = "Also draw the ratios to this SVG file." };
        Option<bool> check = new("--check") { Description = "End with exit code 1 when a number that must be reached is not." };
        Option<bool> skipMemory = new("--no-memory") { Description = "Leave out the memory of W6, which takes two processes more." };
        Option<string?> side = new("--side") { HelpName = "SIDE", Description = "raw or nabla: take three steps of one workload on this side only, and print the most memory that the process has needed." };
        Option<string?> device = new("--device") { HelpName = "DEVICE", Description = "Device of both sides: cpu, cuda or cuda:<number>. What must be reached is for the CPU. Default: cpu" };
        Command command = new("bench", Description) { suites, workloads, rounds, threads, device, precision, output, plot, check, skipMemory, side };
        command.SetAction((input, _) => runner.RunAsync(handler, () =>
        {
            BenchRequest request = new(
                input.GetValue(suites) ?? [], input.GetValue(workloads) ?? [], Number("--rounds", input.GetValue(rounds)), Number("--threads", input.GetValue(threads)),
                input.GetValue(precision), input.GetValue(output), input.GetValue(plot), input.GetValue(check), input.GetValue(skipMemory), input.GetValue(side), Device(input.GetValue(device)));
            return request is { Side: not null, Workloads.Count: not 1 }
                ? throw new UsageException("nabla bench: --side needs one workload. Example: nabla bench --side raw --workload W6")
                : request;
        }));
        return command;
    }

    private static string? Device(string? text) => text is null ? null : CommonOptions.CheckDevice(text);

    private static int? Number(string option, string? text)
        => text is null ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number
        : throw new UsageException($"{option}: expected a whole number of at least 1, got '{text}'.");
}

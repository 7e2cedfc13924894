using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla predict</c> is asked.</summary>
/// <param name="Run">Run folder or name of a run.</param>
/// <param name="Inputs">Pictures, folders, tables or lines of text; <c>-</c> is standard input; empty: standard input.</param>
/// <param name="RunsFolder">Folder that holds the runs; null: <c>runs</c>.</param>
/// <param name="Device">auto, cpu, cuda or cuda:n.</param>
internal sealed record PredictRequest(string Run, IReadOnlyList<string> Inputs, string? RunsFolder, string Device);

/// <summary><c>nabla predict runs/shapes/... picture.png</c></summary>
internal static class PredictCommand
{
    public static Command Create(CommandRunner runner, CommandHandler<PredictRequest> handler)
    {
        Argument<string> run = new("run") { HelpName = "RUN", Description = "A run folder, or the name of a run (its newest)." };
        Argument<string[]> inputs = new("input") { HelpName = "INPUT", Description = "Pictures, folders of pictures, tables, or text; - for standard input.", Arity = ArgumentArity.ZeroOrMore };
        var runs = CommonOptions.RunsFolder();
        var device = CommonOptions.Device();
        Command command = new("predict", "Predict with a trained model.") { run, inputs, runs, device };
        command.SetAction((input, _) => runner.RunAsync(handler, () => new PredictRequest(
            input.GetRequiredValue(run), input.GetValue(inputs) is { Length: > 0 } given ? given : ["-"], input.GetValue(runs), CommonOptions.CheckDevice(input.GetValue(device)))));
        return command;
    }
}

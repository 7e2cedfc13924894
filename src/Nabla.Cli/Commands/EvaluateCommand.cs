using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla evaluate</c> is asked.</summary>
/// <param name="Run">Run folder or name of a run.</param>
/// <param name="Split">train, validation or test; null: test where there is one, when <paramref name="Data"/> is null.</param>
/// <param name="Data">File or folder with examples; null: a split of the run's own data.</param>
/// <param name="RunsFolder">Folder that holds the runs; null: <c>runs</c>.</param>
/// <param name="Device">auto, cpu, cuda or cuda:n.</param>
internal sealed record EvaluateRequest(string Run, string? Split, string? Data, string? RunsFolder, string Device);

/// <summary><c>nabla evaluate runs/shapes/... --split test</c></summary>
internal static class EvaluateCommand
{
    public static Command Create(CommandRunner runner, CommandHandler<EvaluateRequest> handler)
    {
        Argument<string> run = new("run") { HelpName = "RUN", Description = "A run folder, or the name of a run (its newest)." };
        Option<string?> split = new("--split") { HelpName = "NAME", Description = "train, validation or test. Default: test" };
        Option<string?> data = new("--data") { HelpName = "PATH", Description = "Measure on this file or folder instead of a split of the run's own data." };
        var runs = CommonOptions.RunsFolder();
        var device = CommonOptions.Device();
        Command command = new("evaluate", "Measure a trained model on a split or on other data.") { run, split, data, runs, device };
        command.SetAction((input, _) => runner.RunAsync(handler, () =>
        {
            var request = new EvaluateRequest(input.GetRequiredValue(run), input.GetValue(split), input.GetValue(data), input.GetValue(runs), CommonOptions.CheckDevice(input.GetValue(device)));
            if (request is { Split: not null, Data: not null })
            {
                throw new UsageException("nabla evaluate: --split and --data exclude each other; give one of them.");
            }
            return request.Split is null or "train" or "validation" or "test"
                ? request
                : throw new UsageException($"--split: expected train, validation or test, got '{request.Split}'. {Core.NearestName.Suggest(request.Split, ["train", "validation", "test"])}");
        }));
        return command;
    }
}

using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla runs list</c> is asked.</summary>
/// <param name="RunsFolder">Folder that holds the runs; null: <c>runs</c>.</param>
internal sealed record RunsListRequest(string? RunsFolder);

/// <summary>What <c>nabla runs show</c> is asked.</summary>
/// <param name="Run">Run folder, name of a run (its newest), or its short id.</param>
/// <param name="RunsFolder">Folder that holds the runs; null: <c>runs</c>.</param>
internal sealed record RunsShowRequest(string Run, string? RunsFolder);

/// <summary>What <c>nabla runs compare</c> is asked.</summary>
/// <param name="Runs">At least two runs.</param>
/// <param name="RunsFolder">Folder that holds the runs; null: <c>runs</c>.</param>
internal sealed record RunsCompareRequest(IReadOnlyList<string> Runs, string? RunsFolder);

/// <summary><c>nabla runs list</c>, <c>nabla runs show RUN</c>, <c>nabla runs compare RUN RUN</c></summary>
internal static class RunsCommand
{
    public static Command Create(CommandRunner runner, RunsHandlers handlers)
    {
        var folder = CommonOptions.RunsFolder();
        folder.Recursive = true;
        Command list = new("list", "List runs, the newest first.");
        list.SetAction((input, _) => runner.RunAsync(handlers.List, () => new RunsListRequest(input.GetValue(folder))));

        Argument<string> run = new("run") { HelpName = "RUN", Description = "A run folder, the name of a run (its newest), or its short id." };
        Command show = new("show", "Show one run: settings, results, checkpoints.") { run };
        show.SetAction((input, _) => runner.RunAsync(handlers.Show, () => new RunsShowRequest(input.GetRequiredValue(run), input.GetValue(folder))));

        Argument<string[]> compared = new("runs") { HelpName = "RUN", Description = "Two runs or more.", Arity = new ArgumentArity(2, 100) };
        Command compare = new("compare", "Compare settings and results of runs.") { compared };
        compare.SetAction((input, _) => runner.RunAsync(handlers.Compare, () => new RunsCompareRequest(input.GetRequiredValue(compared), input.GetValue(folder))));

        return new("runs", "List, show and compare runs.") { folder, list, show, compare };
    }
}

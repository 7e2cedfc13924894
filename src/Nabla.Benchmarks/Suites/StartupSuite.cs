using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>Suite <c>startup</c>: this program started as a user starts it, until the help is printed and until a training has taken its first step.</summary>
internal static class StartupSuite
{
    public const string Name = "startup";

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        context.Report("startup: nabla --help");
        yield return Row(context, "help", "a process from its start to its end, nabla --help", () => OwnProgram.Run(["--help"], context.CancellationToken).Seconds);
        context.Report("startup: the first step of shapes");
        yield return Row(context, "shapes first step", "from the start of the process to the end of the first step of nabla train shapes, data included", () => FirstStep(context));
    }

    private static BenchmarkRow Row(SuiteContext context, string workload, string description, Func<double> measure)
    {
        measure(); // fills the file caches
        double[] seconds = [.. Enumerable.Range(0, context.Options.Rounds).Select(_ => measure())];
        return context.Single(Name, workload, description, RatioSummary.Quantile(seconds, 0.5), "s");
    }

    /// <summary>The run's own log says when its first step was done.</summary>
    private static double FirstStep(SuiteContext context)
    {
        var folder = Directory.CreateTempSubdirectory("nabla-bench-");
        try
        {
            var start = TimeProvider.System.GetUtcNow();
            OwnProgram.Run(
                ["train", "shapes", "--device", "cpu", "--out", folder.FullName, "--set", "training.max_steps=2", "--set", "training.log_every_steps=1"], context.CancellationToken);
            var log = folder.EnumerateFiles("metrics.jsonl", SearchOption.AllDirectories).Single();
            return (MetricsLog.Read(log.FullName).First(row => row.Step == 1).Time - start).TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}

using System.Diagnostics;
using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>Suite <c>checkpoint</c>: writing and reading the whole state of W6 (weights, moments, place), hashed and flushed to the disk.</summary>
internal static class CheckpointSuite
{
    public const string Name = "checkpoint";
    private const string Workload = "W6";
    private const double SecondsBetween = 60;

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        var folder = Directory.CreateTempSubdirectory("nabla-bench-");
        try
        {
            context.Report("checkpoint: W6 written and read");
            using var step = (StepRunnerStep)TrainingWorkloads.All.Single(workload => workload.Name == Workload).Nabla(PrecisionPolicy.Float32);
            step.Step(); // the optimiser has its state after the first step
            CheckpointStore store = new(folder.FullName);
            var (saves, loads) = (new double[context.Options.Rounds], new double[context.Options.Rounds]);
            for (var round = -1; round < context.Options.Rounds; round++) // the first is warm-up
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                var (save, load) = (Seconds(() => step.Save(store, round + 1)), Seconds(() => step.Load(store, round + 1)));
                if (round >= 0)
                {
                    (saves[round], loads[round]) = (save, load);
                }
            }
            var megabytes = new DirectoryInfo(store.PathOf(context.Options.Rounds)).EnumerateFiles().Sum(file => file.Length) / 1e6;
            var (saved, loaded) = (RatioSummary.Quantile(saves, 0.5), RatioSummary.Quantile(loads, 0.5));
            return
            [
                context.Single(Name, "W6 save", $"{megabytes:0} MB in the temporary folder, hashed and flushed; the step waits for it", megabytes / saved, "MB/s") with { Seconds = saved },
                context.Single(Name, "W6 load", $"{megabytes:0} MB, sums of all files checked", megabytes / loaded, "MB/s") with { Seconds = loaded },
                context.Single(Name, "W6 time lost", "share of training time at one checkpoint a minute", saved / SecondsBetween, "share"),
            ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

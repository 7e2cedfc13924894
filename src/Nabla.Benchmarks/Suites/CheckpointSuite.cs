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
            using var step = (StepRunnerStep)TrainingWorkloads.All.Single(workload => workload.Name == Workload).Nabla(context.Options.Precision);
            step.Step(); // the optimiser has its state after the first step
            CheckpointStore store = new(folder.FullName);
            using CheckpointWriter writer = new(store, new(), (number, problem) => throw new CheckpointException($"nabla bench: checkpoint {number} was not written: {problem}"));
            List<Times> times = [];
            for (var round = 0; round <= context.Options.Rounds; round++)
            {
                context.CancellationToken.ThrowIfCancellationRequested();
                times.Add(Measure(step, store, writer, round));
            }
            times.RemoveAt(0); // warm-up: the copy's memory, the writer's thread
            double Median(Func<Times, double> part) => RatioSummary.Quantile([.. times.Select(part)], 0.5);
            var megabytes = new DirectoryInfo(store.PathOf(context.Options.Rounds)).EnumerateFiles().Sum(file => file.Length) / 1e6;
            var (wait, save, load, lost) = (Median(time => time.Wait), Median(time => time.Save), Median(time => time.Load), Math.Max(0, Median(time => time.Lost)));
            return
            [
                context.Single(Name, "W6 copy", $"{megabytes:0} MB copied while the step waits", megabytes / wait, "MB/s") with { Seconds = wait },
                context.Single(Name, "W6 save", $"{megabytes:0} MB to the temporary folder, hashed and flushed, beside training", megabytes / save, "MB/s") with { Seconds = save },
                context.Single(Name, "W6 load", $"{megabytes:0} MB, sums of all files checked", megabytes / load, "MB/s") with { Seconds = load },
                context.Single(Name, "W6 time lost", "share of training time at one checkpoint a minute: the wait, and what steps are slower by while it is written", lost / SecondsBetween, "share") with { Seconds = lost },
            ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>One checkpoint with training going on, then as many steps without one: what the first took longer is lost.</summary>
    private static Times Measure(StepRunnerStep step, CheckpointStore store, CheckpointWriter writer, long number)
    {
        var (start, steps) = (Stopwatch.GetTimestamp(), 0);
        step.BeginSave(writer, number);
        var wait = Stopwatch.GetElapsedTime(start).TotalSeconds;
        do
        {
            step.Step();
            steps++;
        }
        while (writer.IsBusy);
        var busy = Stopwatch.GetElapsedTime(start).TotalSeconds;
        writer.Take(wait: true, mustSucceed: true);
        var quiet = Seconds(() =>
        {
            for (var i = 0; i < steps; i++)
            {
                step.Step();
            }
        });
        var save = Seconds(() => step.Save(writer, number));
        return new(wait, save, Seconds(() => step.Load(store, number)), busy - quiet);
    }

    private static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Seconds of one round.</summary>
    /// <param name="Wait">The step waits for the copy.</param>
    /// <param name="Save">From the beginning until the checkpoint is on the disk, nothing else running.</param>
    /// <param name="Load">Reading it back.</param>
    /// <param name="Lost">What training took longer with it than without.</param>
    private readonly record struct Times(double Wait, double Save, double Load, double Lost);
}

using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Nabla.Training.Tests;

/// <summary>A process killed without warning at random moments, checkpoints half written among them, and resumed ends in the same bits.</summary>
public sealed class KillTests
{
    private const string Variable = "NABLA_TEST_KILLED_RUN";
    private const int Kills = 10;

    [Fact]
    public void Fit_KilledTenTimesAndResumed_GivesTheWeightsOfAnUndisturbedRun()
    {
        var root = Directory.CreateTempSubdirectory("nabla-kill-");
        try
        {
            var expected = Train(RunFolder.Create(root.FullName, "whole"), pause: 0);
            var folder = RunFolder.Create(root.FullName, "killed");
            var random = RandomStream.At(Environment.TickCount64, RandomPurpose.Other);
            var (kills, steps) = (0, new List<long>());
            while (true)
            {
                using var child = Start(folder);
                if (kills < Kills && child.StandardOutput.ReadLine() == "training" && !child.WaitForExit(random.NextInt(0, 400)))
                {
                    child.Kill();
                    child.WaitForExit();
                    kills++;
                    steps.Add(folder.OpenCheckpoints().LastStep ?? 0);
                    Assert.Contains(folder.ReadStatus().State, new[] { RunState.Crashed, RunState.Completed }); // it may have been done, but not gone
                    continue;
                }
                var rest = child.StandardOutput.ReadToEnd();
                child.WaitForExit();
                Assert.True(child.ExitCode == 0, child.StandardError.ReadToEnd());
                Assert.Contains(expected, rest, StringComparison.Ordinal);
                break;
            }
            Assert.True(kills > 3, $"Only {kills} kills came before the end; last steps {string.Join(", ", steps)}.");
            Assert.Equal(
                RunFolder.List(root.FullName).Single(run => run.Name == "whole").ReadMetrics().Select(row => (row.Step, row.Metrics["train/loss"])),
                folder.ReadMetrics().Select(row => (row.Step, row.Metrics["train/loss"])));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    // The test program is its own victim: with the variable set it trains before any test framework starts.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void TrainWhenAsked()
#pragma warning restore CA2255
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path)
        {
            NablaRuntime.EnsureLoaded();
            set_num_threads(1);
            Console.Out.WriteLine(Train(RunFolder.Open(path), pause: 2));
            Console.Out.Flush();
            Environment.Exit(0);
        }
    }

    private static Process Start(RunFolder folder)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Nabla.Training.Tests" + (OperatingSystem.IsWindows() ? ".exe" : ""));
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[Variable] = folder.FullPath;
        return Process.Start(start)!;
    }

    internal static string Train(RunFolder folder, int pause)
    {
        using var task = new TinyTask();
        using var data = new TinyData(96);
        using var validation = new TinyData(seed: 4);
        var options = new TrainingOptions { Epochs = 8, LogEverySteps = 3, Precision = "float32", EmaDecay = 0.9, AccumulateBatches = 2, Checkpoints = new() { EverySteps = 1 }, Schedule = new() { Name = "one-cycle" }, Optimizer = new() { LearningRate = 0.02 } };
        new Trainer(options).Fit(task, data.Loader, validation.Loader, new() { Folder = folder, Resume = true, Seed = 11, Callbacks = [new Pause(pause)] });
        return "weights " + Weights.Sum(task.Module);
    }

    private sealed class Pause(int milliseconds) : TrainingCallback
    {
        public override void OnTrainingStarted(TrainingStarted started)
        {
            if (milliseconds > 0)
            {
                Console.Out.WriteLine("training");
                Console.Out.Flush();
            }
        }

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            Thread.Sleep(milliseconds);
            return Continuation.Continue;
        }
    }
}

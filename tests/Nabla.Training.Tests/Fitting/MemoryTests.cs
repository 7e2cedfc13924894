using System.Diagnostics;
using System.Runtime;

namespace Nabla.Training.Tests;

/// <summary>
/// Training with dropout, evaluation, an average and checkpoints needs the same memory after 10,000 steps more. Counted from where the runtime has compiled what is called
/// often: it does that beside, in several tiers, on a busy machine thousands of small steps late, and keeps some 15 MB for it.
/// </summary>
public sealed class MemoryTests
{
    private const int MostWarmSteps = 20_000;
    private readonly Watch _watch = new();

    [Fact]
    public void Fit_TwoThousandSteps_KeepsTensorsAndMemoryFlat() => Train(steps: 2000, every: 500);

    [Fact, Trait("Needs", "Minutes")]
    public void Fit_TenThousandSteps_KeepsTensorsAndMemoryFlat() => Train(steps: 10_000, every: 1000);

    private void Train(int steps, int every)
    {
        using var task = new TinyTask();
        using var data = new TinyData(400, batchSize: 8); // 50 steps an epoch
        using var validation = new TinyData(160, batchSize: 8, seed: 4);
        (_watch.Every, _watch.Count) = (every, (steps / every) + 1);
        var folder = Directory.CreateTempSubdirectory("nabla-memory-");
        try
        {
            var options = new TrainingOptions
            {
                Epochs = (steps + MostWarmSteps) / 50,
                Precision = "float32",
                EmaDecay = 0.99,
                GradientClipping = 1,
                Optimizer = new() { LearningRate = 1e-3 },
                NonFinite = new() { Policy = NonFinitePolicy.Skip },
            };
            new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, data.Loader, validation.Loader, new() { Folder = RunFolder.Create(folder.FullName, "memory"), Callbacks = [_watch] });
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        Assert.True(_watch.Tensors.Count == _watch.Count, $"{_watch.Tensors.Count} of {_watch.Count} measurements: the runtime was still compiling after {MostWarmSteps} steps.");
        Assert.InRange(_watch.Tensors.Max() - _watch.Tensors.Min(), 0, 8); // batches prepared ahead come and go
        AssertFlat("Managed", _watch.Managed, 1.02);
        AssertFlat("Resident", _watch.Resident, 1.02);
    }

    private static void AssertFlat(string what, List<long> bytes, double most)
    {
        var growth = bytes[^1] / (double)bytes[0];
        Assert.True(growth <= most, $"{what} memory is {growth:F3} times what it was: {string.Join(", ", bytes)}");
    }

    /// <summary>Measures every so many steps from the first on at which nothing was compiled for a while, and ends training after the last measurement.</summary>
    private sealed class Watch : TrainingCallback
    {
        private const int LookEvery = 100; // steps
        private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200); // for the thread that compiles
        private long _compiled;
        private int _quietLooks;

        public int Every { get; set; }

        public int Count { get; set; }

        public List<long> Tensors { get; } = [];

        public List<long> Managed { get; } = [];

        public List<long> Resident { get; } = [];

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            if (_quietLooks < 3)
            {
                Look(step.Step);
            }
            else if (step.Step % Every == 1)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                GC.Collect();
                using var process = Process.GetCurrentProcess();
                Tensors.Add(Tensor.TotalCount);
                Managed.Add(GC.GetTotalMemory(forceFullCollection: true));
                Resident.Add(process.WorkingSet64);
            }
            return Tensors.Count == Count ? Continuation.Stop : Continuation.Continue;
        }

        private void Look(long step)
        {
            if (step % LookEvery == 0)
            {
                Thread.Sleep(Patience);
                var compiled = JitInfo.GetCompiledMethodCount();
                (_quietLooks, _compiled) = (compiled == _compiled ? _quietLooks + 1 : 0, compiled);
            }
        }
    }
}

using System.Diagnostics;

namespace Nabla.Training.Tests;

/// <summary>Training with dropout, evaluation, an average and checkpoints needs the same memory in step 10,000 as in step 1,000.</summary>
public sealed class MemoryTests
{
    private readonly Watch _watch = new();

    [Fact]
    public void Fit_TwoThousandSteps_KeepsTensorsAndMemoryFlat() => Train(steps: 2000, warm: 500, every: 500);

    [Fact, Trait("Needs", "Minutes")]
    public void Fit_TenThousandSteps_KeepsTensorsAndMemoryFlat() => Train(steps: 10_000, warm: 2000, every: 1000);

    private void Train(int steps, int warm, int every)
    {
        using var task = new TinyTask();
        using var data = new TinyData(400, batchSize: 8); // 50 steps an epoch
        using var validation = new TinyData(160, batchSize: 8, seed: 4);
        (_watch.Warm, _watch.Every) = (warm, every);
        var folder = Directory.CreateTempSubdirectory("nabla-memory-");
        try
        {
            var options = new TrainingOptions
            {
                Epochs = (steps / 50) + 1,
                MaxSteps = steps + 1,
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
        Assert.True(_watch.Tensors.Count >= 4);
        Assert.InRange(_watch.Tensors.Max() - _watch.Tensors.Min(), 0, 8); // batches prepared ahead come and go
        AssertFlat("Managed", _watch.Managed, 1.02);
        AssertFlat("Resident", _watch.Resident, 1.02);
    }

    private static void AssertFlat(string what, List<long> bytes, double most)
    {
        var growth = bytes[^1] / (double)bytes[0];
        Assert.True(growth <= most, $"{what} memory is {growth:F3} times what it was: {string.Join(", ", bytes)}");
    }

    /// <summary>Measures every so many steps once memory is warm.</summary>
    private sealed class Watch : TrainingCallback
    {
        public int Warm { get; set; }

        public int Every { get; set; }

        public List<long> Tensors { get; } = [];

        public List<long> Managed { get; } = [];

        public List<long> Resident { get; } = [];

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            if (step.Step >= Warm && step.Step % Every == 1)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                GC.Collect();
                using var process = Process.GetCurrentProcess();
                Tensors.Add(Tensor.TotalCount);
                Managed.Add(GC.GetTotalMemory(forceFullCollection: true));
                Resident.Add(process.WorkingSet64);
            }
            return Continuation.Continue;
        }
    }
}

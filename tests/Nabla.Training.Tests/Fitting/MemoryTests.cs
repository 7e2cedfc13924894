using System.Diagnostics;

namespace Nabla.Training.Tests;

public sealed class MemoryTests
{
    [Fact]
    public void Fit_TwoThousandSteps_KeepsTensorsAndMemoryFlat()
    {
        using var task = new TinyTask();
        using var data = new TinyData(400, batchSize: 8);
        var watch = new Watch();
        var folder = Directory.CreateTempSubdirectory("nabla-memory-");
        try
        {
            var options = new TrainingOptions { Epochs = 50, Precision = "float32", EmaDecay = 0.99, GradientClipping = 1, AccumulateBatches = 1, Optimizer = new() { LearningRate = 1e-3 } };
            var result = new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, data.Loader, data.Loader, new() { Folder = RunFolder.Create(folder.FullName, "memory"), Callbacks = [watch] });

            Assert.Equal(2500, result.Steps);
            Assert.InRange(watch.Tensors.Max() - watch.Tensors.Min(), 0, 8); // batches prepared ahead come and go
            var growth = watch.Bytes[^1] / (double)watch.Bytes[0];
            Assert.True(growth <= 1.02, $"Resident memory grew {growth:P1}: {string.Join(", ", watch.Bytes)}");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>Measures from step 500 (warm) to step 2500.</summary>
    private sealed class Watch : TrainingCallback
    {
        public List<long> Tensors { get; } = [];

        public List<long> Bytes { get; } = [];

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            if (step.Step >= 500 && step.Step % 500 == 1)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                GC.Collect();
                using var process = Process.GetCurrentProcess();
                Tensors.Add(Tensor.TotalCount);
                Bytes.Add(process.WorkingSet64);
            }
            return Continuation.Continue;
        }
    }
}

using Nabla.Data;

namespace Nabla.Training.Tests;

/// <summary>A validation that is left in its middle to save in time comes first when the run goes on, and all bits and rows are as without it.</summary>
public sealed class LeftValidationTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 3, LogEverySteps = 4, Precision = "float32", EmaDecay = 0.9, ValidateEverySteps = 4, Schedule = new() { Name = "plateau", Patience = 0 }, Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-left-");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4), InlineData(6)] // of 6 validations; the second is at an epoch's end
    public void Fit_StoppedInsideAValidation_SavesAtOnceAndGoesOnToTheSameBitsAndRows(int validation)
    {
        var whole = RunFolder.Create(_root.FullName, "whole");
        var (expected, bits) = Fit(whole, stopIn: 0, resume: false);
        var folder = RunFolder.Create(_root.FullName, "left");

        var (left, _) = Fit(folder, validation, resume: false);

        Assert.Equal((StopReason.Interrupted, RunState.Interrupted), (left.StopReason, folder.ReadStatus().State));
        var checkpoint = folder.OpenCheckpoints().OpenNewestGood()!;
        Assert.Equal(left.Steps, checkpoint.Step);
        Assert.NotNull(checkpoint.State.Pending);
        var (result, actual) = Fit(folder, stopIn: 0, resume: true);
        Assert.Equal(bits, actual);
        Assert.Equal(expected.Best, result.Best);
        Assert.Equal(Rows(whole), Rows(folder));
    }

    [Fact]
    public void Fit_KilledAfterALeftValidationWasMadeUp_HasNoRowTwice()
    {
        var folder = RunFolder.Create(_root.FullName, "twice");
        Fit(folder, stopIn: 2, resume: false);
        var step = folder.OpenCheckpoints().LastStep;
        var copy = Path.Combine(_root.FullName, "kept");
        Copy(folder.OpenCheckpoints().PathOf(step!.Value), copy);
        Fit(folder, stopIn: 0, resume: true);
        foreach (var later in folder.OpenCheckpoints().Steps)
        {
            Directory.Delete(folder.OpenCheckpoints().PathOf(later), recursive: true);
        }
        Copy(copy, folder.OpenCheckpoints().PathOf(step.Value)); // as if nothing after it had reached the disk, but the rows had

        Fit(folder, stopIn: 0, resume: true);

        Assert.Equal(folder.ReadMetrics().Select(row => row.Step).Distinct(), folder.ReadMetrics().Select(row => row.Step));
    }

    private static IEnumerable<string> Rows(RunFolder folder)
        => folder.ReadMetrics().Select(row => $"{row.Step} {row.Epoch} {string.Join(" ", row.Metrics.Where(metric => metric.Key != "train/accuracy").Select(metric => $"{metric.Key}={metric.Value:R}"))}");

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    private static (TrainingResult Result, string Bits) Fit(RunFolder folder, int stopIn, bool resume)
    {
        using var task = new TinyTask(seed: resume ? 40 : 1);
        using var data = new TinyData(); // 6 steps an epoch
        using var validation = new TinyData(40, seed: 4);
        using var stop = new CancellationTokenSource();
        var loader = new StoppingLoader(validation.Loader, stopIn, stop);
        var result = new Trainer(Options, null, null, new UnsyncedFiles()).Fit(task, data.Loader, loader, new() { Folder = folder, Seed = 7, Resume = resume }, stop.Token);
        return (result, Weights.Sum(task.Module));
    }

    /// <summary>Asks training to stop after two batches of one validation.</summary>
    private sealed class StoppingLoader(IBatchLoader inner, int stopIn, CancellationTokenSource stop) : IBatchLoader
    {
        private int _validation;

        public long? BatchesPerEpoch => inner.BatchesPerEpoch;

        public long? ExamplesPerEpoch => inner.ExamplesPerEpoch;

        public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
        {
            _validation++;
            var batch = 0;
            foreach (var item in inner.ReadEpoch(epoch, firstBatch, cancellationToken))
            {
                yield return item;
                if (_validation == stopIn && ++batch == 2)
                {
                    stop.Cancel();
                }
            }
        }
    }
}

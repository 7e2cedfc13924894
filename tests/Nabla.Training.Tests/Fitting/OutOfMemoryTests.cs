using System.Runtime.InteropServices;

namespace Nabla.Training.Tests;

/// <summary>A batch that does not fit is computed in parts; the step stays that of the whole batch.</summary>
public sealed class OutOfMemoryTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, LogEverySteps = 2, Precision = "float32", Optimizer = new() { Name = "sgd", LearningRate = 0.1 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-oom-");

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, InlineData(1), InlineData(3)]
    public void Fit_BatchTooLarge_IsHalvedUntilItFitsAndGivesTheSameWeights(int accumulate)
    {
        using var data = new TinyData();
        using var whole = new TinyTask(dropout: 0, batchNorm: false);
        using var halved = Limited(most: 3);
        var options = Options with { AccumulateBatches = accumulate };

        var expected = new Trainer(options).Fit(whole, data.Loader, data.Loader);
        var actual = new Trainer(options).Fit(halved, data.Loader, data.Loader);

        Assert.Equal(expected.Steps, actual.Steps);
        foreach (var (name, value) in expected.Metrics)
        {
            Assert.Equal(value, actual.Metrics[name], 1e-5);
        }
        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in whole.Module.named_parameters())
        {
            Assert.True(allclose(parameter, halved.Module.get_parameter(name)!, 1e-5, 1e-6), name);
        }
    }

    [Fact]
    public void Fit_MemoryGoneInTheBackwardPass_LeavesNothingOfTheBrokenStep()
    {
        using var data = new TinyData();
        using var whole = new TinyTask(dropout: 0, batchNorm: false);
        // The error comes from a recomputed part while gradients of later layers are there already.
        using var halved = new TinyTask(dropout: 0, batchNorm: false) { Change = (_, output) => output with { Loss = FailingBackward(output.Loss, output.Weight > 4) } };

        new Trainer(Options with { AccumulateBatches = 2 }).Fit(whole, data.Loader);
        new Trainer(Options with { AccumulateBatches = 2 }).Fit(halved, data.Loader);

        using var scope = NewDisposeScope();
        foreach (var (name, parameter) in whole.Module.named_parameters())
        {
            Assert.True(allclose(parameter, halved.Module.get_parameter(name)!, 1e-5, 1e-6), name);
        }
    }

    [Fact]
    public void Resume_KeepsTheParts()
    {
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "parts");
        using (var first = Limited(most: 4))
        {
            Fit(first, data, folder, resume: false, epochs: 1);
        }
        Assert.Equal(2, folder.OpenCheckpoints().OpenNewestGood()!.State.BatchParts);
        using var undisturbed = Limited(most: 4);
        Fit(undisturbed, data, RunFolder.Create(_root.FullName, "whole"), resume: false, epochs: 2);

        using var plenty = new TinyTask(); // more memory than before: the bits must stay those of the run
        Fit(plenty, data, folder, resume: true, epochs: 2);

        Assert.Equal(Weights.Sum(undisturbed.Module), Weights.Sum(plenty.Module));
    }

    [Fact]
    public void Fit_OneExampleTooLarge_SaysSo()
    {
        using var data = new TinyData();
        using var task = Limited(most: 0);

        var error = Assert.Throws<MemoryException>(() => new Trainer(Options).Fit(task, data.Loader));

        Assert.Contains("Step 0 (epoch 0)", error.Message, StringComparison.Ordinal);
        Assert.Contains("batch_size", error.Message, StringComparison.Ordinal);
    }

    private static void Fit(TinyTask task, TinyData data, RunFolder folder, bool resume, int epochs)
        => new Trainer(Options with { Epochs = epochs, Schedule = new() { Name = "constant" } }, null, null, new UnsyncedFiles()).Fit(task, data.Loader, null, new() { Folder = folder, Resume = resume });

#pragma warning disable CA2201 // What the library throws when memory is gone.
    private static TinyTask Limited(long most) => new(dropout: most == 3 ? 0 : 0.3, batchNorm: most != 3)
    {
        Change = (_, output) => output.Weight > most ? throw new ExternalException("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.") : output,
    };

    private static Tensor FailingBackward(Tensor loss, bool fails)
    {
        var runs = 0;
        return Recompute.Run(x => ++runs == 2 && fails ? throw new ExternalException("CUDA out of memory.") : x * 1, loss, []);
    }
}

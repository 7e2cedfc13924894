namespace Nabla.Training.Tests;

/// <summary>An operation that has no deterministic GPU kernel is allowed, and the step that met it is whole.</summary>
public sealed class DeterminismTests
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, LogEverySteps = 2, Precision = "float32", Optimizer = new() { Name = "sgd", LearningRate = 0.1 } };

    [Theory, InlineData(1), InlineData(3)]
    public void Fit_NoDeterministicKernel_StartsTheStepAgainWithAWarning(int accumulate)
    {
        using var data = new TinyData();
        using var plain = new TinyTask();
        using var refused = new TinyTask { Change = (_, output) => output with { Loss = output.Loss + Unpooled() } };
        var options = Options with { AccumulateBatches = accumulate };
        WarningList log = new();

        new Trainer(options).Fit(plain, data.Loader, data.Loader);
        using (DeterministicKernels.Use(DeviceType.CUDA)) // as on a GPU
        {
            new Trainer(options, log).Fit(refused, data.Loader, data.Loader);
            Assert.False(DeterministicKernels.AreOn);
        }

        Assert.Equal(Weights.Sum(plain.Module), Weights.Sum(refused.Module));
        var warning = Assert.Single(log.Messages, message => message.Contains("deterministic", StringComparison.Ordinal));
        Assert.StartsWith("Step 0: max_unpooling2d_forward_out does not have a deterministic implementation", warning, StringComparison.Ordinal);
    }

    /// <summary>Zero, from an operation that libtorch refuses on any device when it must be deterministic.</summary>
    private static Tensor Unpooled()
    {
        using var scope = NewDisposeScope();
        return nn.functional.max_unpool2d(zeros(1, 1, 1, 1), zeros(1, 1, 1, 1, dtype: ScalarType.Int64), [2, 2]).sum().MoveToOuterDisposeScope();
    }
}

using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// What a <c>Trainer</c> trains: a module, how a batch becomes a loss, and what is measured. The trainer knows no layer;
/// this is the seam between it and models. The task owns the module.
/// </summary>
public abstract class TrainingTask : IDisposable
{
    /// <summary>The module whose parameters are trained.</summary>
    public abstract Module Module { get; }

    /// <summary>Forward pass and loss of one batch, under the gradient mode and train/eval mode that the trainer has set.</summary>
    /// <param name="batch">The batch, on the module's device. The trainer owns it.</param>
    public abstract StepOutput Step(Batch batch);

    /// <summary>
    /// Whether <see cref="Step"/> computes forward only: neither it nor the model calls <c>backward</c> or asks for gradients of parameters. Own kernels then
    /// leave parameters out of libtorch's graph and hand their gradients over themselves, which makes steps of small models faster.
    /// </summary>
    public virtual bool IsForwardOnly => false;

    /// <summary>New metrics for a split, besides the loss.</summary>
    /// <param name="split">train, validation or test.</param>
    public abstract IReadOnlyList<Metric> CreateMetrics(string split);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the module.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Module.Dispose();
        }
    }
}

/// <summary>Result of <see cref="TrainingTask.Step"/>; the tensors live in the trainer's scope of the step.</summary>
/// <param name="Loss">Mean loss, a scalar with its graph, <c>[]</c>.</param>
/// <param name="Weight">How many examples or tokens the mean is over; accumulation and epoch means weigh by it.</param>
/// <param name="Predictions">What metrics take as predictions, or null.</param>
/// <param name="Targets">What metrics take as targets, or null.</param>
public readonly record struct StepOutput(Tensor Loss, long Weight, Tensor? Predictions = null, Tensor? Targets = null);

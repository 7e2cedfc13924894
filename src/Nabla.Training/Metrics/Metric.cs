namespace Nabla.Training;

/// <summary>
/// A measure accumulated batch by batch; the result does not depend on how the examples were cut into batches.
/// Accumulates in double precision on the CPU. Not thread-safe.
/// </summary>
public abstract class Metric
{
    /// <summary>Name without the split, such as <c>accuracy</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether larger is better.</summary>
    public abstract bool HigherIsBetter { get; }

    /// <summary>Forgets everything.</summary>
    public abstract void Reset();

    /// <summary>Takes in one batch.</summary>
    /// <param name="predictions">What the model gave: logits <c>[batch, classes]</c> or <c>[batch, time, classes]</c>, or values <c>[batch]</c>.</param>
    /// <param name="targets">Class ids <c>[batch]</c> or <c>[batch, time]</c> (int64; -100 is ignored), or values <c>[batch]</c>.</param>
    public abstract void Update(Tensor predictions, Tensor targets);

    /// <summary>The measure over all batches since <see cref="Reset"/>; NaN when it is not defined for them, or when a prediction is NaN.</summary>
    public abstract double Compute();

    /// <summary>Why the last <see cref="Compute"/> gave NaN, in a sentence; null when it gave a number.</summary>
    public virtual string? UndefinedReason => null;
}

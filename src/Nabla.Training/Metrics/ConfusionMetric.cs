namespace Nabla.Training;

/// <summary>A number that follows from the confusion matrix; the matrix itself is there for reports.</summary>
public sealed class ConfusionMetric : Metric
{
    private readonly Func<ConfusionMatrix, double> _compute;
    private readonly int? _classes;
    private bool _hasNaN;

    internal ConfusionMetric(string name, int? classes, Func<ConfusionMatrix, double> compute)
        => (Name, _classes, _compute, Matrix) = (name, classes, compute, new(classes));

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override bool HigherIsBetter => true;

    /// <summary>The matrix over all batches since <see cref="Reset"/>.</summary>
    public ConfusionMatrix Matrix { get; private set; }

    /// <inheritdoc/>
    public override string? UndefinedReason => _hasNaN ? "a prediction is NaN."
        : !double.IsNaN(_compute(Matrix)) ? null
        : Matrix.Total == 0 ? "no example has been seen."
        : "truth and prediction are one and the same class only.";

    /// <inheritdoc/>
    public override void Reset() => (Matrix, _hasNaN) = (new(_classes), false);

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        var (truth, predicted, hasNaN) = ClassBatch.Ids(Name, predictions, targets);
        _hasNaN |= hasNaN;
        Matrix.Add(truth, predicted);
    }

    /// <inheritdoc/>
    public override double Compute() => _hasNaN ? double.NaN : _compute(Matrix);
}

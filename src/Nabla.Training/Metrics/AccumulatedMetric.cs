namespace Nabla.Training;

/// <summary>What the metrics here share: a name, a direction, and a reason where the result is not defined.</summary>
/// <param name="name">Name without the split.</param>
/// <param name="higherIsBetter">Whether larger is better.</param>
internal abstract class AccumulatedMetric(string name, bool higherIsBetter) : Metric
{
    private string? _undefinedReason;

    /// <inheritdoc/>
    public sealed override string Name => name;

    /// <inheritdoc/>
    public sealed override bool HigherIsBetter => higherIsBetter;

    /// <inheritdoc/>
    public sealed override string? UndefinedReason => _undefinedReason;

    /// <inheritdoc/>
    public sealed override double Compute()
    {
        _undefinedReason = null;
        var value = Result();
        _undefinedReason = double.IsNaN(value) ? _undefinedReason ?? "a prediction or target is NaN." : null;
        return value;
    }

    /// <summary>The measure, or <see cref="Undefined"/>.</summary>
    protected abstract double Result();

    /// <summary>NaN with its reason.</summary>
    /// <param name="reason">Why the measure is not defined.</param>
    protected double Undefined(string reason)
    {
        _undefinedReason = reason;
        return double.NaN;
    }
}

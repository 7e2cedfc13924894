namespace Nabla.Training;

/// <summary>Share of examples (or tokens) whose likeliest class is right. On equal logits the lower class id counts as the likeliest.</summary>
internal sealed class AccuracyMetric(string name) : AccumulatedMetric(name, higherIsBetter: true)
{
    private long _right, _count;
    private bool _hasNaN;

    /// <inheritdoc/>
    public override void Reset() => (_right, _count, _hasNaN) = (0, 0, false);

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        var (truth, predicted, hasNaN) = ClassBatch.Ids(Name, predictions, targets);
        _hasNaN |= hasNaN;
        for (var i = 0; i < truth.Length; i++)
        {
            _right += truth[i] == predicted[i] ? 1 : 0;
        }
        _count += truth.Length;
    }

    /// <inheritdoc/>
    protected override double Result() => _hasNaN ? Undefined("a prediction is NaN.")
        : _count > 0 ? (double)_right / _count : Undefined("no example has been seen.");
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Share of examples whose class is among the k likeliest; with k classes or fewer that is all. On equal logits the lower class ids are taken
/// to be the likelier ones, as argmax has it (scikit-learn takes the higher ids).
/// </summary>
internal sealed class TopAccuracyMetric(string name, int k) : AccumulatedMetric(name, higherIsBetter: true)
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
        if (!ClassBatch.HasClasses(predictions, targets))
        {
            throw new ShapeException(Name, nameof(predictions), $"{ShapeException.Format(targets.Sizes()).TrimEnd(']')}, classes]", predictions.Sizes(), "Put the classes on the last axis.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var logits = predictions.detach().reshape(-1, predictions.Sizes()[^1]);                              // [n, classes]
        var truth = targets.reshape(-1, 1).to(ScalarType.Int64, logits.device);                            // [n, 1]
        var kept = truth.ne(Number.Of(ClassBatch.Ignored));
        ClassBatch.CheckRange(Name, truth.masked_select(kept).cpu().data<long>().ToArray(), (int)logits.Sizes()[1]);
        var own = truth.clamp(min: Number.Of(0));
        var score = logits.gather(1, own);                                                                 // [n, 1]
        var tiesBefore = logits.eq(score).logical_and(arange(Number.Of(logits.Sizes()[1]), device: logits.device).lt(own));
        var rank = logits.gt(score).sum(1, keepdim: true) + tiesBefore.sum(1, keepdim: true);              // [n, 1]
        _right += rank.lt(Number.Of(k)).logical_and(kept).sum().cpu().item<long>();
        _hasNaN |= logits.max(-1).values.isnan().any().cpu().item<bool>();
        _count += kept.sum().cpu().item<long>();
    }

    /// <inheritdoc/>
    protected override double Result() => _hasNaN ? Undefined("a prediction is NaN.")
        : _count > 0 ? (double)_right / _count : Undefined("no example has been seen.");
}

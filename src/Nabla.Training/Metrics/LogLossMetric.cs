namespace Nabla.Training;

/// <summary>
/// Mean negative logarithm of the probability of the true class, in nats, or e to that power (perplexity) over all tokens. A probability
/// below 2.2e-16, double's epsilon, counts as that in the log loss (scikit-learn's clip), so one certain mistake costs 36 nats; the
/// perplexity is not clipped.
/// </summary>
internal sealed class LogLossMetric(string name, bool isPerplexity) : AccumulatedMetric(name, higherIsBetter: false)
{
    private const double Clip = 2.220446049250313e-16; // 2^-52
    private static readonly double Floor = Math.Log(Clip), Ceiling = Math.Log(1 - Clip);
    private double _sum;
    private long _count;

    /// <inheritdoc/>
    public override void Reset() => (_sum, _count) = (0, 0);

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        var logProbabilities = ClassBatch.TargetLogProbabilities(Name, predictions, targets);
        foreach (var logProbability in logProbabilities)
        {
            _sum -= isPerplexity ? logProbability : Math.Clamp(logProbability, Floor, Ceiling);
        }
        _count += logProbabilities.Length;
    }

    /// <inheritdoc/>
    protected override double Result() => _count == 0 ? Undefined("no example or token has been seen.")
        : isPerplexity ? Math.Exp(_sum / _count) : _sum / _count;
}

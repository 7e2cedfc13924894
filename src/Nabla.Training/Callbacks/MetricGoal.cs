namespace Nabla.Training;

/// <summary>Which direction of a metric is better.</summary>
/// <param name="Metric">The metric as <c>split/metric</c>.</param>
/// <param name="HigherIsBetter">Whether larger is better.</param>
public readonly record struct MetricGoal(string Metric, bool HigherIsBetter)
{
    /// <summary>Whether <paramref name="value"/> beats <paramref name="best"/> by more than <paramref name="minimumChange"/>. NaN beats nothing, and anything beats NaN.</summary>
    /// <param name="value">The new value.</param>
    /// <param name="best">The best so far, or null.</param>
    /// <param name="minimumChange">How much better it must be.</param>
    public bool IsBetter(double value, double? best, double minimumChange = 0)
        => !double.IsNaN(value) && (best is not { } old || double.IsNaN(old) || (HigherIsBetter ? value > old + minimumChange : value < old - minimumChange));
}

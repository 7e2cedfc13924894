namespace Nabla.Benchmarks;

/// <summary>A ratio measured in rounds: the median of the rounds' ratios, and how far they spread.</summary>
/// <param name="Ratio">Median of the rounds' ratios.</param>
/// <param name="Low">Their 10 % quantile.</param>
/// <param name="High">Their 90 % quantile.</param>
/// <param name="SecondsA">Median seconds of the first side.</param>
/// <param name="SecondsB">Median seconds of the second side.</param>
internal readonly record struct RatioSummary(double Ratio, double Low, double High, double SecondsA, double SecondsB)
{
    private const double LowQuantile = 0.1, HighQuantile = 0.9;

    /// <summary>How many times as long the first side takes as the second: its speed-up when the first is the baseline.</summary>
    /// <param name="times">Rounds of <see cref="PairedTimer"/>, at least one.</param>
    public static RatioSummary Of(IReadOnlyList<PairedTime> times)
    {
        ArgumentNullException.ThrowIfNull(times);
        double[] ratios = [.. times.Select(time => time.A / time.B)];
        return new(
            Quantile(ratios, 0.5),
            Quantile(ratios, LowQuantile),
            Quantile(ratios, HighQuantile),
            Quantile([.. times.Select(time => time.A)], 0.5),
            Quantile([.. times.Select(time => time.B)], 0.5));
    }

    /// <summary>The quantile of values, by linear interpolation between the sorted ones (type 7 of Hyndman and Fan, 1996).</summary>
    /// <param name="values">At least one value, in any order.</param>
    /// <param name="share">Share of values below, in [0, 1].</param>
    public static double Quantile(IReadOnlyList<double> values, double share)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentOutOfRangeException.ThrowIfZero(values.Count);
        ArgumentOutOfRangeException.ThrowIfLessThan(share, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(share, 1);
        double[] sorted = [.. values.Order()];
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 < sorted.Length ? sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below])) : sorted[below];
    }
}

namespace Nabla.Benchmarks.Tests;

public sealed class RatioSummaryTests
{
    [Fact]
    public void Of_EvenlySpacedRatios_IsTheClosedForm()
    {
        // Ratios 1, 2, ..., 11: median 6, quantiles 10 % and 90 % exactly the second and the tenth.
        var summary = RatioSummary.Of([.. Enumerable.Range(1, 11).Select(i => new PairedTime(i * 0.5, 0.5)).Reverse()]);

        Assert.Equal((6.0, 2.0, 10.0), (summary.Ratio, summary.Low, summary.High));
        Assert.Equal((3.0, 0.5), (summary.SecondsA, summary.SecondsB));
    }

    [Fact]
    public void Of_OneRound_HasNoSpread()
    {
        var summary = RatioSummary.Of([new(3, 2)]);

        Assert.Equal((1.5, 1.5, 1.5, 3.0, 2.0), (summary.Ratio, summary.Low, summary.High, summary.SecondsA, summary.SecondsB));
    }

    [Fact]
    public void Of_TakesTheMedianOfRatios_NotTheRatioOfMedians()
    {
        // A machine that is twice as slow in one round slows both sides of it: the ratio stays 2.
        var summary = RatioSummary.Of([new(2, 1), new(20, 10), new(2.2, 1.1)]);

        Assert.Equal(2, summary.Ratio, 12);
        Assert.Equal(2, summary.Low, 12);
        Assert.Equal(2, summary.High, 12);
    }

    [Theory]
    [InlineData(0, 10)]
    [InlineData(1, 40)]
    [InlineData(0.5, 25)]
    [InlineData(1.0 / 3, 20)]
    [InlineData(0.25, 17.5)]
    public void Quantile_InterpolatesBetweenSortedValues(double share, double expected)
        => Assert.Equal(expected, RatioSummary.Quantile([40, 10, 30, 20], share), 12);

    [Fact]
    public void Quantile_OfNothing_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => RatioSummary.Quantile([], 0.5));
}

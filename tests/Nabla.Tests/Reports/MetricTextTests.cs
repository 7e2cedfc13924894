namespace Nabla.Tests;

public sealed class MetricTextTests
{
    [Theory]
    [InlineData("validation/loss", false)]
    [InlineData("test/rmse", false)]
    [InlineData("validation/perplexity", false)]
    [InlineData("test/masked-loss", false)]
    [InlineData("test/wer", false)]
    [InlineData("test/accuracy", true)]
    [InlineData("top5-accuracy", true)]
    [InlineData("test/map", true)]
    [InlineData("test/r2", true)]
    public void HigherIsBetter_OfAName_FollowsTheMetric(string name, bool expected) => Assert.Equal(expected, MetricText.HigherIsBetter(name));

    [Theory]
    [InlineData("test/accuracy", 0.98765, "98.77 %")]
    [InlineData("test/accuracy", double.NaN, "NaN")]
    [InlineData("test/loss", 0.05123, "0.05123")]
    [InlineData("test/loss", 1.58714, "1.587")]
    [InlineData("test/rmse", 48212.34, "48,212")]
    [InlineData("test/loss", 0, "0")]
    [InlineData("test/loss", -0.25, "-0.2500")]
    [InlineData("learning-rate", 0.00003, "3e-5")]
    [InlineData("test/loss", double.NegativeInfinity, "-infinite")]
    public void Value_OfAMetric_HasItsUnit(string name, double value, string expected) => Assert.Equal(expected, MetricText.Value(name, value));

    [Theory]
    [InlineData(41.24, "41.2 s")]
    [InlineData(59.97, "1 min 00 s")]
    [InlineData(187, "3 min 07 s")]
    [InlineData(7_500, "2 h 05 min")]
    [InlineData(273_600, "3 d 04 h")]
    public void Duration_OfSeconds_UsesTwoUnits(double seconds, string expected) => Assert.Equal(expected, MetricText.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(999, "999")]
    [InlineData(94_727, "94.73 k")]
    [InlineData(11_689_512, "11.69 M")]
    [InlineData(1_814_073_344, "1.81 G")]
    public void ShortCount_OfACount_KeepsTwoDecimals(long count, string expected) => Assert.Equal(expected, MetricText.ShortCount(count));
}

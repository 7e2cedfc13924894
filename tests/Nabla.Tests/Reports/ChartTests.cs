using CsCheck;

namespace Nabla.Tests;

public sealed class ChartTests
{
    [Fact]
    public void Ticks_OfAnyRange_AreRoundInOrderAndInside() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[1e-6, 1e6], Gen.Int[2, 8]).Sample((low, width, count) =>
        {
            var ticks = AxisTicks.For(low, low + width, count);
            Assert.InRange(ticks.Values.Count, 2, Math.Max(count + 1, 6));
            Assert.All(ticks.Values, value => Assert.InRange(value, ticks.Low - (width * 1e-6), ticks.High + (width * 1e-6)));
            Assert.All(ticks.Values.Zip(ticks.Values.Skip(1)), pair => Assert.True(pair.First < pair.Second));
            Assert.Equal(ticks.Values.Count, ticks.Values.Select(value => ticks.Label(value)).Distinct().Count());
        }, iter: 20_000);

    [Theory]
    [InlineData(0, 1, new[] { "0", "0.2", "0.4", "0.6", "0.8", "1.0" })]
    [InlineData(0, 23_000, new[] { "0", "5k", "10k", "15k", "20k" })]
    [InlineData(-3, 3, new[] { "-2", "0", "2" })]
    public void Ticks_OfARange_AreTheExpected(double low, double high, string[] labels)
    {
        var ticks = AxisTicks.For(low, high, 5);
        Assert.Equal(labels, ticks.Values.Select(value => ticks.Label(value)));
    }

    [Fact]
    public void Ticks_OfASingleValue_OpenARangeAroundIt()
    {
        var ticks = AxisTicks.For(5, 5, 4);
        Assert.True(ticks.Low < 5 && ticks.High > 5);
        Assert.NotEmpty(ticks.Values);
    }

    [Fact]
    public void Thin_OfALongCurve_KeepsEndsAndTheSpike()
    {
        var points = Enumerable.Range(0, 5000).Select(i => new ReportPoint(i, 0, i == 3210 ? 9 : Math.Sin(i / 100.0))).ToList();

        var thin = CurveSampling.Thin(points, 300);

        Assert.Equal(300, thin.Count);
        Assert.Equal(points[0], thin[0]);
        Assert.Equal(points[^1], thin[^1]);
        Assert.Contains(points[3210], thin);
    }

    [Fact]
    public void Smooth_OfAConstant_IsTheConstant()
    {
        var smooth = CurveSampling.Smooth([.. Enumerable.Range(1, 20).Select(i => new ReportPoint(i, 0, 3))], 0.9);
        Assert.All(smooth, point => Assert.Equal(3, point.Value, 12));
    }

    [Fact]
    public void Smooth_OfTwoValues_WeighsAsTheClosedForm()
    {
        var smooth = CurveSampling.Smooth([new(1, 0, 1), new(2, 0, 2)], 0.5);
        Assert.Equal(1, smooth[0].Value, 12);
        Assert.Equal(((0.5 * 0.5 * 1) + (0.5 * 2)) / 0.75, smooth[1].Value, 12);
    }

    [Fact]
    public void LineChart_WithGapsAndSinglePoints_DrawsWhatIsThere()
    {
        LineChart chart = new([new("train/loss", [new(1, 1, double.NaN), new(2, 1, 2), new(3, 1, double.PositiveInfinity), new(4, 1, 1)]), new("test/loss", [new(4, 1, 1.5)])], markBest: true);
        HtmlWriter html = new();

        chart.Write(html, "loss", "train/loss");

        Assert.Equal(2, chart.NotFinite);
        Assert.Contains("class=\"raw\" d=\"M", html.ToString(), StringComparison.Ordinal);
        Assert.Contains("<circle class=\"dot\"", html.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", html.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Infinity", html.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void LineChart_WithAFewHugeValues_ShowsTheRest()
    {
        var points = Enumerable.Range(1, 100).Select(i => new ReportPoint(i, 0, i == 1 ? 1000 : 1 + (i % 10 * 0.1))).ToList();
        Assert.Equal(1, new LineChart([new("train/loss", points)], markBest: true).OutOfFrame);
    }

    [Fact]
    public void Bins_OfValues_CountEachOnce() =>
        Gen.Double[-100, 100].List[1, 200].Sample(values =>
        {
            var bins = HistogramChart.Bins([.. values, double.NaN], 12);
            Assert.Equal(values.Count, bins.Sum(bin => bin.Count));
        });
}

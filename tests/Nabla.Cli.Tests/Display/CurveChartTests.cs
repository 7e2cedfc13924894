using CsCheck;
using Spectre.Console;
using Spectre.Console.Testing;

namespace Nabla.Cli.Tests;

public sealed class CurveChartTests
{
    [Fact]
    public void Chart_OfARisingLine_DrawsTheDiagonal()
    {
        // 4 x 2 characters are 8 x 8 dots, and there are 8 points.
        var lines = Draw(Line(8), rows: 2, width: 7, label: _ => "x");
        Assert.Equal(["x \u2524  \u2860\u280a", "x \u2524\u2860\u280a", "   step"], lines);
    }

    [Fact]
    public void Chart_OfAConstant_IsOneStraightRow()
    {
        var lines = Draw([new(1, 2), new(5, 2)], rows: 3, width: 20, label: _ => "x");
        Assert.Equal(["x \u2524", "x \u2524" + new string('\u2824', 17), "x \u2524", "   1          step 5"], lines);
    }

    [Fact]
    public void Chart_WithoutUnicode_UsesLetters()
    {
        var lines = Draw(Line(3), rows: 3, width: 6, unicode: false, label: _ => "x");
        Assert.Equal(["x |  *", "x | *", "x |*", "   ste"], lines);
    }

    [Fact]
    public void Chart_OfManyPoints_DrawsTheMeanOfEachColumn()
    {
        // Up and down between 0 and 1 in every column: the mean is the middle.
        CurvePoint[] points = [new(0, 0), .. Enumerable.Range(0, 4000).Select(i => new CurvePoint(1 + i, i % 2)), new(4001, 1)];
        var lines = Draw(points, rows: 4, width: 43, label: _ => "x");
        Assert.True(string.Concat(lines[1..3]).Count(c => c is >= '\u2801' and <= '\u28ff') >= 38);
        Assert.True(string.Concat(lines[0], lines[3]).Count(c => c is >= '\u2801' and <= '\u28ff') <= 2);
    }

    [Fact]
    public void Chart_WithoutPoints_SaysSo() => Assert.Contains("no values yet", Draw([], rows: 3, width: 30)[3], StringComparison.Ordinal);

    [Fact]
    public void Chart_OfOnePoint_DrawsOneDot()
    {
        var dots = string.Concat(Draw([new(7, 0.5)], rows: 3, width: 30)).Where(c => c is >= '\u2801' and <= '\u28ff').ToList();
        Assert.Single(dots);
    }

    [Fact]
    public void Chart_WithOneHugeValue_ShowsTheRest()
    {
        var (low, high) = CurveChart.Frame([.. Enumerable.Range(0, 100).Select(i => i == 0 ? 1e6 : 1 + (i / 100.0))]);
        Assert.Equal(1.01, low, 9);
        Assert.InRange(high, 1.9, 3);
    }

    [Fact]
    public void Chart_OfAnySize_FitsItsWidth() =>
        Gen.Select(Gen.Int[6, 130], Gen.Int[1, 15], Gen.Double[-1e9, 1e9].List[0, 300], Gen.Bool).Sample((width, rows, values, unicode) =>
        {
            var lines = Draw([.. values.Select((value, i) => new CurvePoint(i, value))], rows, width, unicode);
            Assert.Equal(rows + 1, lines.Count);
            Assert.All(lines, line => Assert.InRange(line.Length, 0, width));
        }, iter: 300);

    private static CurvePoint[] Line(int count) => [.. Enumerable.Range(0, count).Select(i => new CurvePoint(i, i))];

    private static List<string> Draw(CurvePoint[] points, int rows, int width, bool unicode = true, Func<double, string>? label = null)
    {
        using TestConsole console = new();
        console.Profile.Capabilities.Unicode = unicode;
        console.Profile.Width = width;
        console.Write(new CurveChart { Lines = [new(points, Color.Blue, '*')], Rows = rows, Label = label ?? MetricText.Number });
        return [.. console.Output.TrimEnd('\n').Split('\n').Select(line => line.TrimEnd())];
    }
}

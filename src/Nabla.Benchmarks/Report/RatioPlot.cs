using System.Globalization;

namespace Nabla.Benchmarks;

/// <summary>Draws every row with a ratio as a bar on a logarithmic axis, with its spread, and marks at the must and the aim.</summary>
internal static class RatioPlot
{
    private const double Width = 760, Left = 170, Right = 700, RowHeight = 30, Top = 64;
    private static readonly double[] Ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

    public static string Draw(BenchmarkReport report)
    {
        BenchmarkRow[] rows = [.. report.Rows.Where(row => row.Ratio is > 0)];
        var numbers = rows.SelectMany(row => new[] { row.Ratio!.Value, row.Low ?? row.Ratio.Value, row.High ?? row.Ratio.Value })
            .Concat(rows.SelectMany(row => row.Goals).Where(goal => goal.Measure == BenchmarkGoal.Ratio).SelectMany(goal => new[] { goal.Must, goal.Aim ?? goal.Must }))
            .Append(1).ToArray();
        var (low, high) = (numbers.Min() / 1.2, numbers.Max() * 1.2);
        double Place(double value) => Left + ((Math.Log(value) - Math.Log(low)) / (Math.Log(high) - Math.Log(low)) * (Right - Left));
        var bottom = Top + (rows.Length * RowHeight);
        HtmlWriter svg = new();
        svg.Write($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {bottom + 56}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Ratios of nabla bench">""");
        svg.Write($"""<rect width="100%" height="100%" fill="#ffffff"/><text x="16" y="24" font-size="15" font-weight="600" fill="#1f2933">nabla bench: {report.Machine.Processor.Name}, {report.Machine.Threads} threads</text>""");
        svg.Write($"""<text x="16" y="44" fill="#52606d">bar: median ratio, line: 10 to 90 % of the rounds, | must, || aim ({report.Column})</text>""");
        foreach (var tick in Ticks.Where(tick => tick >= low && tick <= high))
        {
            svg.Write($"""<line x1="{Place(tick)}" x2="{Place(tick)}" y1="{Top - 6}" y2="{bottom}" stroke="{(tick == 1 ? "#52606d" : "#e4e7eb")}"/><text x="{Place(tick)}" y="{bottom + 18}" text-anchor="middle" fill="#52606d">{tick}x</text>""");
        }
        for (var i = 0; i < rows.Length; i++)
        {
            DrawRow(svg, rows[i], Top + (i * RowHeight), Place);
        }
        svg.Write($"""<text x="{(Left + Right) / 2}" y="{bottom + 42}" text-anchor="middle" fill="#52606d">speed-up: more is better; time and memory: less is better</text></svg>""");
        return svg.ToString();
    }

    private static void DrawRow(HtmlWriter svg, BenchmarkRow row, double y, Func<double, double> place)
    {
        var (ratio, middle) = (row.Ratio!.Value, y + (RowHeight / 2) - 3);
        var (from, to) = (Math.Min(place(1), place(ratio)), Math.Max(place(1), place(ratio)));
        var colour = row.Holds == false ? "#c2410c" : "#2563eb";
        svg.Write($"""<text x="{Left - 10}" y="{middle}" dy="0.35em" text-anchor="end" fill="#1f2933">{row.Workload}{(row.RatioOf == "speed-up" ? "" : $" ({row.RatioOf})")}</text>""");
        svg.Write($"""<rect x="{from}" y="{middle - 8}" width="{Math.Max(1, to - from)}" height="16" rx="2" fill="{colour}"/>""");
        if (row is { Low: { } low, High: { } high })
        {
            svg.Write($"""<line x1="{place(low)}" x2="{place(high)}" y1="{middle}" y2="{middle}" stroke="#1f2933" stroke-width="1.5"/>""");
        }
        foreach (var goal in row.Goals.Where(goal => goal.Measure == BenchmarkGoal.Ratio))
        {
            svg.Write($"""<line x1="{place(goal.Must)}" x2="{place(goal.Must)}" y1="{middle - 12}" y2="{middle + 12}" stroke="#1f2933" stroke-width="2"/>""");
            if (goal.Aim is { } aim)
            {
                svg.Write($"""<path d="M{place(aim) - 2} {middle - 12}v24m4 0v-24" stroke="#1f2933" fill="none"/>""");
            }
        }
        svg.Write($"""<text x="{to + 8}" y="{middle}" dy="0.35em" fill="#1f2933">{ratio.ToString("0.00", CultureInfo.InvariantCulture)}x</text>""");
    }
}

namespace Nabla;

/// <summary>Draws a histogram with a line at zero.</summary>
internal static class HistogramChart
{
    private const double Width = 480, Height = 344, Left = 54, Right = 468, Top = 12, Bottom = 300;

    /// <summary>Equally wide bars over the values; those that are not finite are left out.</summary>
    /// <param name="values">The values.</param>
    /// <param name="count">Number of bars.</param>
    public static IReadOnlyList<ReportBin> Bins(IEnumerable<double> values, int count = 30)
    {
        var finite = values.Where(double.IsFinite).ToArray();
        if (finite.Length == 0)
        {
            return [];
        }
        var (low, high) = (finite.Min(), finite.Max());
        var width = high > low ? (high - low) / count : 1;
        var counts = new long[count];
        foreach (var value in finite)
        {
            counts[Math.Clamp((int)((value - low) / width), 0, count - 1)]++;
        }
        return [.. counts.Select((n, i) => new ReportBin(low + (i * width), low + ((i + 1) * width), n))];
    }

    public static void Write(HtmlWriter html, IReadOnlyList<ReportBin> bins, string title, string axis)
    {
        var drawn = bins.Where(bin => double.IsFinite(bin.Low) && double.IsFinite(bin.High) && bin.High > bin.Low).ToList();
        if (drawn.Count == 0)
        {
            html.Write($"""<p class="empty">No values.</p>""");
            return;
        }
        var x = AxisTicks.For(drawn.Min(bin => bin.Low), drawn.Max(bin => bin.High), 4);
        var y = AxisTicks.For(0, Math.Max(1, drawn.Max(bin => bin.Count)), 4, whole: true);
        double X(double value) => Left + ((value - x.Low) / (x.High - x.Low) * (Right - Left));
        double Y(double value) => Bottom - ((value - y.Low) / (y.High - y.Low) * (Bottom - Top));
        html.Write($"""<svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-label="Histogram of {title}, from {MetricText.Number(x.Low)} to {MetricText.Number(x.High)}.">""");
        foreach (var value in y.Values)
        {
            html.Write($"""<line class="grid" x1="{Left}" x2="{Right}" y1="{Y(value)}" y2="{Y(value)}"/><text class="tick" x="{Left - 8}" y="{Y(value)}" dy="0.35em" text-anchor="end">{y.Label(value)}</text>""");
        }
        foreach (var bin in drawn)
        {
            html.Write($"""<rect class="bar" x="{X(bin.Low) + 0.5}" y="{Y(bin.Count)}" width="{Math.Max(0.5, X(bin.High) - X(bin.Low) - 1)}" height="{Bottom - Y(bin.Count)}"><title>{MetricText.Number(bin.Low)} to {MetricText.Number(bin.High)}: {MetricText.Count(bin.Count)}</title></rect>""");
        }
        html.Write($"""<line class="axis" x1="{Left}" x2="{Right}" y1="{Bottom}" y2="{Bottom}"/>""");
        foreach (var value in x.Values)
        {
            html.Write($"""<text class="tick" x="{X(value)}" y="{Bottom + 20}" text-anchor="{(X(value) > Right - 20 ? "end" : "middle")}">{x.Label(value)}</text>""");
        }
        if (x.Low < 0 && x.High > 0)
        {
            html.Write($"""<line class="zero" x1="{X(0)}" x2="{X(0)}" y1="{Top}" y2="{Bottom}"/>""");
        }
        html.Write($"""<text class="tick" x="{(Left + Right) / 2}" y="{Height - 3}" text-anchor="middle">{axis}</text></svg>""");
    }
}

namespace Nabla;

/// <summary>Draws predicted against actual values, with the line on which both are equal.</summary>
internal static class ScatterChart
{
    private const double Width = 480, Height = 344, Left = 68, Right = 468, Top = 12, Bottom = 300;
    private const int MaxPoints = 2000;

    public static void Write(HtmlWriter html, ReportResiduals residuals)
    {
        var pairs = residuals.Actual.Zip(residuals.Predicted).Where(pair => double.IsFinite(pair.First) && double.IsFinite(pair.Second)).ToList();
        if (pairs.Count == 0)
        {
            html.Write($"""<p class="empty">No pair of finite values.</p>""");
            return;
        }
        var stride = Math.Max(1, (pairs.Count + MaxPoints - 1) / MaxPoints);
        var all = pairs.SelectMany(pair => new[] { pair.First, pair.Second }).ToList();
        var axis = AxisTicks.For(all.Min(), all.Max(), 4);
        double Place(double value, double from, double to) => from + ((value - axis.Low) / (axis.High - axis.Low) * (to - from));
        html.Write($"""<svg class="chart" viewBox="0 0 {Width} {Height}" role="img" aria-label="Scatter plot of predicted against actual {residuals.Target} for {pairs.Count} examples; the closer to the diagonal, the better.">""");
        foreach (var value in axis.Values)
        {
            var (x, y) = (Place(value, Left, Right), Place(value, Bottom, Top));
            html.Write($"""<line class="grid" x1="{Left}" x2="{Right}" y1="{y}" y2="{y}"/><text class="tick" x="{Left - 8}" y="{y}" dy="0.35em" text-anchor="end">{axis.Label(value)}</text>""");
            html.Write($"""<line class="grid" x1="{x}" x2="{x}" y1="{Top}" y2="{Bottom}"/><text class="tick" x="{x}" y="{Bottom + 20}" text-anchor="{(x > Right - 14 ? "end" : "middle")}">{axis.Label(value)}</text>""");
        }
        html.Write($"""<line class="diagonal" x1="{Left}" y1="{Bottom}" x2="{Right}" y2="{Top}"/><g class="points">""");
        for (var i = 0; i < pairs.Count; i += stride)
        {
            html.Write($"""<circle cx="{Math.Round(Place(pairs[i].First, Left, Right), 1)}" cy="{Math.Round(Place(pairs[i].Second, Bottom, Top), 1)}" r="2.6"/>""");
        }
        html.Write($"""</g><text class="tick" x="{(Left + Right) / 2}" y="{Height - 3}" text-anchor="middle">actual</text><text class="tick" transform="translate(13 {(Top + Bottom) / 2}) rotate(-90)" text-anchor="middle">predicted</text></svg>""");
    }
}

using System.Globalization;
using System.Text;

namespace Nabla;

/// <summary>Draws curves over steps as SVG. It reads without a script; report.js adds the readout and the smoothing.</summary>
internal sealed class LineChart
{
    /// <summary>Weight of the past in the calm line of a noisy curve, before the reader moves the slider.</summary>
    public const double Smoothing = 0.8;

    // Drawing units. Text is sized in CSS by the width of the card, so the margins leave room for the largest of it.
    private const double Width = 480, Height = 264, Left = 62, Right = 468, Top = 14, Bottom = 222;
    private const int MaxPoints = 480;          // about one for each drawing unit
    private const int NoisyFrom = 40;           // fewer points are drawn as they are

    private readonly IReadOnlyList<Series> _series;
    private readonly AxisTicks _steps, _values;
    private readonly bool _mayBeNoisy;

    private sealed record Series(string Name, string Style, IReadOnlyList<ReportPoint> Points, int NotFinite, ReportPoint? Best);

    /// <summary>A chart of curves that measure the same on different splits.</summary>
    /// <param name="curves">The curves, in the order of the legend.</param>
    /// <param name="markBest">Whether the curves are measurements, which are noisy and have a best value, unlike a learning rate.</param>
    public LineChart(IReadOnlyList<ReportCurve> curves, bool markBest)
    {
        _series = [.. curves.Select((curve, index) => Prepare(curve, index, markBest))];
        var points = _series.SelectMany(series => series.Points).ToList();
        HasPoints = points.Count > 0;
        NotFinite = _series.Sum(series => series.NotFinite);
        (double low, double high) = HasPoints ? Frame([.. points.Select(point => point.Value)]) : (0, 1);
        OutOfFrame = points.Count(point => point.Value > high);
        _steps = HasPoints ? AxisTicks.For(points.Min(point => point.Step), points.Max(point => point.Step), 5, whole: true) : AxisTicks.For(0, 1, 5);
        _values = AxisTicks.For(low, high, 5);
        _mayBeNoisy = markBest;
    }

    /// <summary>Whether there is anything to draw.</summary>
    public bool HasPoints { get; }

    /// <summary>Values that are NaN or infinite and therefore leave a gap.</summary>
    public int NotFinite { get; }

    /// <summary>Drawn values above the frame.</summary>
    public int OutOfFrame { get; }

    /// <summary>Whether a curve is drawn calm and faint, so that smoothing matters.</summary>
    public bool IsNoisy => _series.Any(IsNoisySeries);

    /// <summary>The style name of a curve, by its split.</summary>
    public static string StyleOf(string name, int index) => MetricText.Split(name) switch
    {
        "train" => "train",
        "validation" => "validation",
        "test" => "test",
        _ => (index % 3) switch { 0 => "train", 1 => "validation", _ => "test" },
    };

    /// <summary>Writes the drawing.</summary>
    /// <param name="html">Where to.</param>
    /// <param name="title">What it shows, for those who do not see it.</param>
    /// <param name="metric">The metric, which decides how values read.</param>
    public void Write(HtmlWriter html, string title, string metric)
    {
        html.Write($"""<svg class="chart" viewBox="0 0 {Width} {Height}" role="img" tabindex="0" aria-label="{Describe(title)}" data-left="{Left}" data-right="{Right}" data-top="{Top}" data-bottom="{Bottom}" """);
        html.Write($"""data-x0="{Exact(_steps.Low)}" data-x1="{Exact(_steps.High)}" data-y0="{Exact(_values.Low)}" data-y1="{Exact(_values.High)}" data-share="{(MetricText.IsShare(metric) ? "1" : "0")}">""");
        foreach (var value in _values.Values)
        {
            html.Write($"""<line class="grid" x1="{Left}" x2="{Right}" y1="{Y(value)}" y2="{Y(value)}"/><text class="tick" x="{Left - 8}" y="{Y(value)}" dy="0.35em" text-anchor="end">{(MetricText.IsShare(metric) ? $"{_values.Label(value, 100)} %" : _values.Label(value))}</text>""");
        }
        html.Write($"""<line class="axis" x1="{Left}" x2="{Right}" y1="{Bottom}" y2="{Bottom}"/>""");
        foreach (var step in _steps.Values)
        {
            var anchor = X(step) > Right - 20 ? "end" : X(step) < Left + 10 ? "start" : "middle";
            html.Write($"""<line class="axis" x1="{X(step)}" x2="{X(step)}" y1="{Bottom}" y2="{Bottom + 4}"/><text class="tick" x="{X(step)}" y="{Bottom + 20}" text-anchor="{anchor}">{_steps.Label(step)}</text>""");
        }
        html.Write($"""<text class="tick" x="{(Left + Right) / 2}" y="{Height - 3}" text-anchor="middle">step</text>""");
        html.Write($"""<svg class="plot" x="{Left}" y="{Top - 6}" width="{Right - Left + 6}" height="{Bottom - Top + 8}" viewBox="{Left} {Top - 6} {Right - Left + 6} {Bottom - Top + 8}">""");
        foreach (var series in _series)
        {
            WriteSeries(html, series);
        }
        html.Write($"""</svg><g class="readout" hidden="hidden"><line class="guide" y1="{Top}" y2="{Bottom}"/></g></svg>""");
    }

    /// <summary>Whether a curve goes up and down so much that its way is several times its range.</summary>
    private bool IsNoisySeries(Series series)
    {
        if (!_mayBeNoisy || series.Points.Count < NoisyFrom)
        {
            return false;
        }
        var way = series.Points.Zip(series.Points.Skip(1), (one, next) => Math.Abs(next.Value - one.Value)).Sum();
        return way > 3 * (series.Points.Max(point => point.Value) - series.Points.Min(point => point.Value));   // a calm fall gives 1
    }

    private void WriteSeries(HtmlWriter html, Series series)
    {
        var noisy = IsNoisySeries(series);
        html.Write($"""<g class="series s-{series.Style}" data-name="{series.Name}" data-noisy="{(noisy ? "1" : "0")}" data-steps="{Join(series.Points, point => point.Step)}" data-epochs="{Join(series.Points, point => Math.Round(point.Epoch, 2))}" data-values="{Join(series.Points, point => point.Value)}">""");
        if (series.Points.Count == 1)
        {
            html.Write($"""<circle class="dot" cx="{X(series.Points[0].Step)}" cy="{Y(series.Points[0].Value)}" r="4"/>""");
        }
        else
        {
            html.Write($"""<path class="{(noisy ? "raw faint" : "raw")}" d="{Path(series.Points)}"/>""");
            if (noisy)
            {
                html.Write($"""<path class="smooth" d="{Path(CurveSampling.Smooth(series.Points, Smoothing))}"/>""");
            }
        }
        if (series.Style != "train" && series.Points.Count is > 1 and <= 30)
        {
            foreach (var point in series.Points)
            {
                html.Write($"""<circle class="dot" cx="{X(point.Step)}" cy="{Y(point.Value)}" r="2.4"/>""");
            }
        }
        if (series.Best is { } best)
        {
            html.Write($"""<circle class="best" cx="{X(best.Step)}" cy="{Y(best.Value)}" r="5.5"><title>best, {MetricText.Value(series.Name, best.Value)} at step {MetricText.Count(best.Step)}</title></circle>""");
        }
        html.Write($"</g>");
    }

    private static Series Prepare(ReportCurve curve, int index, bool markBest)
    {
        var finite = curve.Points.Where(point => double.IsFinite(point.Value)).ToList();
        var style = StyleOf(curve.Name, index);
        ReportPoint? best = markBest && style == "validation" && finite.Count > 1
            ? MetricText.HigherIsBetter(curve.Name) ? finite.MaxBy(point => point.Value) : finite.MinBy(point => point.Value)
            : null;
        return new(curve.Name, style, CurveSampling.Thin(finite, MaxPoints), curve.Points.Count - finite.Count, best);
    }

    /// <summary>The range of values to show: all of them, unless a few stand so far above the rest that the rest would be a flat line.</summary>
    private static (double Low, double High) Frame(double[] values)
    {
        Array.Sort(values);
        var (low, high) = (values[0], values[^1]);
        if (values.Length >= 20)
        {
            var most = values[(int)((values.Length - 1) * 0.95)];
            high = high - low > 4 * (most - low) && most > low ? low + (1.6 * (most - low)) : high;
        }
        var margin = (high - low) * 0.04;
        return (low >= 0 && low - margin < 0 ? 0 : low - margin, high <= 1 && high > 0.5 && high + margin > 1 && low >= 0 ? 1 : high + margin);
    }

    private string Describe(string title)
    {
        StringBuilder text = new($"Line chart of {title}.");
        foreach (var series in _series.Where(series => series.Points.Count > 0))
        {
            var (first, last) = (series.Points[0], series.Points[^1]);
            text.Append(CultureInfo.InvariantCulture, $" {series.Name}: from {MetricText.Value(series.Name, first.Value)} at step {first.Step} to {MetricText.Value(series.Name, last.Value)} at step {last.Step}.");
        }
        return text.ToString();
    }

    private double X(double step) => Left + ((step - _steps.Low) / (_steps.High - _steps.Low) * (Right - Left));

    private double Y(double value) => Bottom - ((value - _values.Low) / (_values.High - _values.Low) * (Bottom - Top));

    private string Path(IReadOnlyList<ReportPoint> points)
    {
        StringBuilder path = new(points.Count * 14);
        foreach (var point in points)
        {
            path.Append(path.Length == 0 ? 'M' : 'L').Append(SvgNumber.Text(X(point.Step))).Append(' ').Append(SvgNumber.Text(Y(point.Value)));
        }
        return path.ToString();
    }

    private static string Join(IReadOnlyList<ReportPoint> points, Func<ReportPoint, double> value) =>
        string.Join(",", points.Select(point => Exact(value(point))));

    private static string Exact(double value) => double.IsFinite(value) ? value.ToString("G6", CultureInfo.InvariantCulture) : "";
}

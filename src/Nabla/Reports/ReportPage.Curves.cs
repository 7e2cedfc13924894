namespace Nabla;

internal sealed partial class ReportPage
{
    private static readonly string[] SplitOrder = ["train", "validation", "test"];

    private void WriteCurves()
    {
        var charts = data.Curves
            .Where(curve => MetricText.Measure(curve.Name) != "learning-rate")
            .GroupBy(curve => MetricText.Split(curve.Name) is "train" or "validation" or "test" ? MetricText.Measure(curve.Name) : curve.Name)
            .OrderBy(group => group.Key == "loss" ? 0 : MetricText.Split(group.First().Name) is "train" or "validation" or "test" ? 1 : 2)
            .Select(group => (Title: group.Key, Curves: group.OrderBy(curve => Array.IndexOf(SplitOrder, MetricText.Split(curve.Name))).ToList()))
            // A single value of the test split is a result, not a curve.
            .Where(group => group.Curves.Any(curve => MetricText.Split(curve.Name) != "test" || curve.Points.Count > 1))
            .ToList();
        var rate = data.LearningRate ?? data.Curves.FirstOrDefault(curve => MetricText.Measure(curve.Name) == "learning-rate");
        if (charts.Count == 0 && rate is null)
        {
            return;
        }
        Begin("curves", "Curves");
        _html.Write($"""<div class="controls" hidden="hidden"><p>Point at a chart, or use its arrow keys, to read values.</p><div id="smoother" hidden="hidden"><label for="smoothing">Smoothing</label><input id="smoothing" type="range" min="0" max="0.98" step="0.02" value="{LineChart.Smoothing}"><output for="smoothing">{LineChart.Smoothing}</output></div></div><div class="grid-2">""");
        foreach (var (title, curves) in charts)
        {
            WriteChart(title, curves, markBest: true);
        }
        if (rate is not null)
        {
            WriteChart("learning rate", [rate], markBest: false);
        }
        _html.Write($"</div>");
        End();
    }

    private void WriteChart(string title, List<ReportCurve> curves, bool markBest)
    {
        LineChart chart = new(curves, markBest);
        _html.Write($"""<figure class="card"><figcaption><h3>{title}</h3><ul class="legend">""");
        for (var i = 0; i < curves.Count; i++)
        {
            var (curve, split) = (curves[i], MetricText.Split(curves[i].Name));
            var last = curve.Points.Count > 0 ? MetricText.Value(curve.Name, curve.Points[^1].Value) : "none";
            _html.Write($"""<li class="s-{LineChart.StyleOf(curve.Name, i)}"><span class="swatch" aria-hidden="true"></span>{(SplitOrder.Contains(split) ? split : "last")} <b>{last}</b>""");
            if (markBest && split == "validation" && curve.Points.Any(point => double.IsFinite(point.Value)))
            {
                _html.Write($""" <span class="muted">best {MetricText.Value(curve.Name, MetricHistory.Summarize(curve).Best)}</span>""");
            }
            _html.Write($"</li>");
        }
        _html.Write($"</ul></figcaption>");
        if (chart.HasPoints)
        {
            chart.Write(_html, title, curves[0].Name);
            _html.Write($"""<p class="values" aria-live="off">{ChartNote(chart)}</p>""");
            WriteCurveTable(title, curves);
        }
        else
        {
            _html.Write($"""<p class="empty">{(chart.NotFinite > 0 ? $"All {chart.NotFinite} logged values are NaN or infinite." : "No values were logged.")}</p>""");
        }
        _html.Write($"</figure>");
    }

    private static string ChartNote(LineChart chart)
    {
        List<string> notes = [];
        if (chart.NotFinite > 0)
        {
            notes.Add(chart.NotFinite == 1 ? "1 value is NaN or infinite and left out." : $"{MetricText.Count(chart.NotFinite)} values are NaN or infinite and left out.");
        }
        if (chart.OutOfFrame > 0)
        {
            notes.Add(chart.OutOfFrame == 1 ? "1 value lies above the frame." : $"{MetricText.Count(chart.OutOfFrame)} values lie above the frame.");
        }
        return string.Join(" ", notes);
    }

    /// <summary>The same values for readers who do not see the drawing: at most 24 lines.</summary>
    private void WriteCurveTable(string title, List<ReportCurve> curves)
    {
        var longest = curves.MinBy(curve => curve.Points.Count is 0 or 1 ? int.MaxValue : curve.Points.Count)!;
        var steps = longest.Points.Select(point => point.Step).Append(curves.Max(curve => curve.Points.Count > 0 ? curve.Points[^1].Step : 0)).Distinct().Order().ToList();
        var stride = Math.Max(1, (steps.Count + 23) / 24);
        _html.Write($"""<details><summary>Values</summary>""");
        BeginTable($"Values of {title}", "numbers");
        _html.Write($"""<thead><tr><th scope="col">step</th>""");
        foreach (var curve in curves)
        {
            _html.Write($"""<th scope="col">{curve.Name}</th>""");
        }
        _html.Write($"</tr></thead><tbody>");
        for (var i = (steps.Count - 1) % stride; i < steps.Count; i += stride)
        {
            _html.Write($"""<tr><th scope="row">{MetricText.Count(steps[i])}</th>""");
            foreach (var curve in curves)
            {
                // The value at this step, or the last one before it.
                var before = curve.Points.TakeWhile(point => point.Step <= steps[i]).ToList();
                _html.Write($"<td>{(before.Count > 0 ? MetricText.Value(curve.Name, before[^1].Value) : "")}</td>");
            }
            _html.Write($"</tr>");
        }
        _html.Write($"</tbody>");
        EndTable();
        _html.Write($"</details>");
    }
}

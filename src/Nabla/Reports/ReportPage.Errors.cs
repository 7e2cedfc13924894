using System.Globalization;

namespace Nabla;

internal sealed partial class ReportPage
{
    private const int MaxMatrixClasses = 30;   // more rows than that are no longer read

    private void WriteErrors()
    {
        if (data.Confusion is not { Classes.Count: > 0 } confusion)
        {
            if (data.ClassScores.Count > 0)
            {
                Begin("errors", "Classes");
                WriteClassScores(data.ClassScores);
                End();
            }
            return;
        }
        Begin("errors", "Errors");
        WriteConfusions(confusion);
        WriteMatrix(confusion);
        WriteClassScores(data.ClassScores.Count > 0 ? data.ClassScores : confusion.Scores());
        End();
    }

    /// <summary>The most frequent mistakes in words.</summary>
    private void WriteConfusions(ReportConfusion confusion)
    {
        var pairs = (from actual in Enumerable.Range(0, confusion.Classes.Count)
                     from predicted in Enumerable.Range(0, confusion.Classes.Count)
                     where actual != predicted && confusion.Counts[actual][predicted] > 0
                     orderby confusion.Counts[actual][predicted] descending
                     select (Actual: actual, Predicted: predicted, Count: confusion.Counts[actual][predicted])).Take(5).ToList();
        if (pairs.Count == 0)
        {
            _html.Write($"""<p class="lead">{(confusion.Total() > 0 ? $"Not one of the {MetricText.Count(confusion.Total())} {confusion.Split} examples was mistaken." : "No examples were counted.")}</p>""");
            return;
        }
        _html.Write($"""<h3>What is mistaken for what</h3><ol class="confusions">""");
        foreach (var (actual, predicted, count) in pairs)
        {
            var share = 100.0 * count / confusion.Counts[actual].Sum();
            _html.Write($"""<li><span class="pair"><b>{confusion.Classes[actual]}</b> taken for <b>{confusion.Classes[predicted]}</b></span> <span class="count">{(count == 1 ? "once" : $"{MetricText.Count(count)} times")}, {share.ToString("0.#", CultureInfo.InvariantCulture)} % of its examples</span></li>""");
        }
        _html.Write($"</ol>");
    }

    private void WriteMatrix(ReportConfusion confusion)
    {
        var shown = Enumerable.Range(0, confusion.Classes.Count).ToList();
        _html.Write($"<h3>Confusion matrix</h3>");
        if (shown.Count > MaxMatrixClasses)
        {
            shown = [.. shown.OrderByDescending(i => confusion.Counts[i].Sum() - confusion.Counts[i][i]).Take(MaxMatrixClasses).Order()];
            _html.Write($"""<p class="lead">The {MaxMatrixClasses} of {confusion.Classes.Count} classes with the most mistakes.</p>""");
        }
        var style = shown.Count > 14 ? "matrix dense" : "matrix";
        BeginTable($"Rows: true class. Columns: predicted class. Split: {confusion.Split}. Shade: share of the row.", style);
        _html.Write($"""<thead><tr><th scope="col" class="corner">true \ predicted</th>""");
        foreach (var column in shown)
        {
            _html.Write($"""<th scope="col"><span>{confusion.Classes[column]}</span></th>""");
        }
        _html.Write($"</tr></thead><tbody>");
        foreach (var row in shown)
        {
            var total = confusion.Counts[row].Sum();
            _html.Write($"""<tr><th scope="row">{confusion.Classes[row]}</th>""");
            foreach (var column in shown)
            {
                var count = confusion.Counts[row][column];
                var share = total > 0 ? (double)count / total : 0;
                // Mistakes are rare: a square root makes 1 in 100 visible.
                var heat = count == 0 ? 0 : row == column ? Math.Max(1, (int)Math.Round(share * 10)) : Math.Clamp((int)Math.Ceiling(Math.Sqrt(share) * 10), 1, 10);
                _html.Write($"""<td class="{(row == column ? "hit" : "miss")} h{heat}" title="{confusion.Classes[row]} predicted as {confusion.Classes[column]}: {MetricText.Count(count)} of {MetricText.Count(total)}">{MetricText.Count(count)}</td>""");
            }
            _html.Write($"</tr>");
        }
        _html.Write($"</tbody>");
        EndTable();
    }

    private void WriteClassScores(IReadOnlyList<ReportClassScore> scores)
    {
        _html.Write($"<h3>Each class</h3>");
        BeginTable("Precision: share of the predictions of a class that are right. Recall: share of its examples that are found.", "numbers scores");
        _html.Write($"""<thead><tr><th scope="col">class</th><th scope="col">precision</th><th scope="col">recall</th><th scope="col">F1</th><th scope="col">examples</th></tr></thead><tbody>""");
        foreach (var score in scores)
        {
            _html.Write($"""<tr><th scope="row">{score.Class}</th>""");
            foreach (var share in new[] { score.Precision, score.Recall, score.F1 })
            {
                _html.Write($"<td>{(double.IsFinite(share) ? MetricText.Value("recall", share) : "none")}");
                WriteBar(share);
                _html.Write($"</td>");
            }
            _html.Write($"<td>{MetricText.Count(score.Support)}</td></tr>");
        }
        _html.Write($"</tbody>");
        if (scores.Count > 1)
        {
            double Mean(Func<ReportClassScore, double> value) => scores.Select(value).Where(double.IsFinite).DefaultIfEmpty(double.NaN).Average();
            _html.Write($"""<tfoot><tr><th scope="row">mean over classes</th><td>{MetricText.Value("recall", Mean(score => score.Precision))}</td><td>{MetricText.Value("recall", Mean(score => score.Recall))}</td><td>{MetricText.Value("recall", Mean(score => score.F1))}</td><td>{MetricText.Count(scores.Sum(score => score.Support))}</td></tr></tfoot>""");
        }
        EndTable();
    }

    private void WriteResiduals()
    {
        if (data.Residuals is not { Actual.Count: > 0 } residuals)
        {
            return;
        }
        var score = RegressionScore.Of(residuals);
        Begin("residuals", "Errors", $"Predicted minus actual {residuals.Target}; the figures are those of the {MetricText.Count(score.Count)} {residuals.Split} examples shown.");
        WriteFacts(
        [
            new("mean absolute error", MetricText.Number(score.MeanAbsoluteError)),
            new("root mean square error", MetricText.Number(score.RootMeanSquareError)),
            new("mean error (bias)", MetricText.Number(score.Bias)),
            new("R2, share of variance explained", MetricText.Number(score.R2)),
        ]);
        _html.Write($"""<div class="grid-2"><figure class="card"><figcaption><h3>Predicted against actual</h3></figcaption>""");
        ScatterChart.Write(_html, residuals);
        _html.Write($"""</figure><figure class="card"><figcaption><h3>Residuals</h3></figcaption>""");
        var bins = residuals.Histogram.Count > 0 ? residuals.Histogram : HistogramChart.Bins(residuals.Predicted.Zip(residuals.Actual, (predicted, actual) => predicted - actual));
        HistogramChart.Write(_html, bins, "residuals", "predicted minus actual");
        _html.Write($"</figure></div>");
        End();
    }
}

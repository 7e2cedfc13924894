using System.Globalization;

namespace Nabla;

/// <summary>The sentence that stands above everything else: how good the model is, against what.</summary>
internal static class ReportVerdict
{
    /// <summary>The sentence, or an empty one when the report holds no result.</summary>
    public static string Of(ReportData data)
    {
        var opening = data.Status switch
        {
            "failed" or "crashed" => "The run failed before it was done. ",
            "interrupted" => "The run was interrupted; the figures are those of its last checkpoint. ",
            "running" => "The run is still going on. ",
            _ => "",
        };
        return opening + Result(data);
    }

    /// <summary>Bounds within which the true share lies with 95 % confidence. Source: Wilson (1927), Probable Inference, JASA 22.</summary>
    /// <param name="hits">How often it held.</param>
    /// <param name="total">How often it was tried; at least 1.</param>
    public static (double Low, double High) Interval(long hits, long total)
    {
        const double z = 1.959963984540054;   // 97.5 % quantile of the normal distribution
        double share = (double)hits / total, z2 = z * z / total;
        var centre = (share + (z2 / 2)) / (1 + z2);
        var half = z / (1 + z2) * Math.Sqrt((share * (1 - share) / total) + (z2 / (4 * total)));
        return (Math.Max(0, centre - half), Math.Min(1, centre + half));
    }

    /// <summary>Share of the most frequent class: what always answering it would give.</summary>
    public static (string Class, double Share) Majority(ReportConfusion confusion)
    {
        var rows = confusion.Counts.Select(row => row.Sum()).ToList();
        var most = rows.IndexOf(rows.Max());
        return (confusion.Classes[most], (double)rows[most] / Math.Max(1, confusion.Total()));
    }

    private static string Result(ReportData data)
    {
        if (data.Confusion is { } confusion && confusion.Total() > 0)
        {
            var (total, correct) = (confusion.Total(), confusion.Correct());
            var (low, high) = Interval(correct, total);
            var (majority, share) = Majority(confusion);
            return string.Create(CultureInfo.InvariantCulture,
                $"Right on {MetricText.Count(correct)} of {MetricText.Count(total)} {confusion.Split} examples, {100.0 * correct / total:0.00} % (95 % interval {low * 100:0.0} to {high * 100:0.0} %). Always answering \u201c{majority}\u201d would give {share * 100:0.0} %.");
        }
        if (data.Residuals is { Actual.Count: > 0 } residuals)
        {
            var score = RegressionScore.Of(residuals);
            // The drawn pairs may be a sample; a figure of the whole split goes before one of the sample.
            double Whole(string measure, double ofSample) => data.Headline.FirstOrDefault(metric => metric.Name == $"{residuals.Split}/{measure}")?.Value ?? ofSample;
            return $"Predictions of {residuals.Target} are off by {MetricText.Number(Whole("mae", score.MeanAbsoluteError))} on average on the {residuals.Split} split (root mean square {MetricText.Number(Whole("rmse", score.RootMeanSquareError))}). Always answering the mean would give a root mean square of {MetricText.Number(score.BaselineRootMeanSquareError)}.";
        }
        if (data.Language is { } language && double.IsFinite(language.Perplexity))
        {
            return $"As unsure as if it chose among {MetricText.Number(language.Perplexity)} equally likely {language.Token}s at each place of the {language.Split} text (perplexity).";
        }
        return data.Headline is [var first, ..] ? $"{first.Name} is {MetricText.Value(first.Name, first.Value)}." : "";
    }
}

/// <summary>How far predictions are from the truth.</summary>
internal readonly record struct RegressionScore(int Count, double MeanAbsoluteError, double RootMeanSquareError, double Bias, double R2, double BaselineRootMeanSquareError)
{
    /// <summary>Measures the finite pairs.</summary>
    public static RegressionScore Of(ReportResiduals residuals)
    {
        var pairs = residuals.Actual.Zip(residuals.Predicted).Where(pair => double.IsFinite(pair.First) && double.IsFinite(pair.Second)).ToList();
        if (pairs.Count == 0)
        {
            return new(0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
        }
        var mean = pairs.Average(pair => pair.First);
        var baseline = Math.Sqrt(pairs.Average(pair => (pair.First - mean) * (pair.First - mean)));
        var square = pairs.Average(pair => (pair.Second - pair.First) * (pair.Second - pair.First));
        return new(pairs.Count, pairs.Average(pair => Math.Abs(pair.Second - pair.First)), Math.Sqrt(square),
            pairs.Average(pair => pair.Second - pair.First), baseline > 0 ? 1 - (square / (baseline * baseline)) : double.NaN, baseline);
    }
}

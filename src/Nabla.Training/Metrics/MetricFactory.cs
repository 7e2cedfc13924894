using System.Globalization;
using System.Text.RegularExpressions;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>Makes metrics by name.</summary>
public static partial class MetricFactory
{
    private const int CalibrationBins = 15; // as in Guo et al. (2017)

    /// <summary>
    /// The names: classes (accuracy, token-accuracy, top5-accuracy, balanced-accuracy; precision, recall and f1, each a macro mean over the
    /// classes that occur, or with -micro or -weighted; mcc, kappa, auc, average-precision, log-loss, ece, confusion-matrix), language
    /// (perplexity) and numbers (mae, mse, rmse, r2). <c>topK-accuracy</c> takes any K.
    /// </summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "accuracy", "token-accuracy", "top5-accuracy", "balanced-accuracy",
        "precision", "precision-micro", "precision-weighted", "recall", "recall-micro", "recall-weighted", "f1", "f1-micro", "f1-weighted",
        "mcc", "kappa", "auc", "average-precision", "log-loss", "ece", "confusion-matrix", "perplexity", "mae", "mse", "rmse", "r2",
    ];

    /// <summary>A new metric.</summary>
    /// <param name="name">One of <see cref="Names"/>, or <c>topK-accuracy</c> with a number K of at least 1.</param>
    /// <param name="classes">Number of classes, so that a wrong label is found; null: as many as turn up.</param>
    /// <exception cref="OptionsException">The name is not known.</exception>
    public static Metric Create(string name, int? classes = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (TopAccuracy().Match(name) is { Success: true } top && int.TryParse(top.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var k))
        {
            return new TopAccuracyMetric(name, k);
        }
        return name switch
        {
            "accuracy" or "token-accuracy" => new AccuracyMetric(name),
            "balanced-accuracy" => new ConfusionMetric(name, classes, matrix => matrix.BalancedAccuracy),
            "precision" => Score(name, classes, ClassScore.Precision, ClassAveraging.Macro),
            "precision-micro" => Score(name, classes, ClassScore.Precision, ClassAveraging.Micro),
            "precision-weighted" => Score(name, classes, ClassScore.Precision, ClassAveraging.Weighted),
            "recall" => Score(name, classes, ClassScore.Recall, ClassAveraging.Macro),
            "recall-micro" => Score(name, classes, ClassScore.Recall, ClassAveraging.Micro),
            "recall-weighted" => Score(name, classes, ClassScore.Recall, ClassAveraging.Weighted),
            "f1" => Score(name, classes, ClassScore.F1, ClassAveraging.Macro),
            "f1-micro" => Score(name, classes, ClassScore.F1, ClassAveraging.Micro),
            "f1-weighted" => Score(name, classes, ClassScore.F1, ClassAveraging.Weighted),
            "mcc" => new ConfusionMetric(name, classes, matrix => matrix.MatthewsCorrelation),
            "kappa" => new ConfusionMetric(name, classes, matrix => matrix.Kappa),
            "confusion-matrix" => new ConfusionMetric(name, classes, matrix => matrix.Accuracy),
            "auc" => new RankingMetric(name, needsNegatives: true, RankingCurve.Roc),
            "average-precision" => new RankingMetric(name, needsNegatives: false, RankingCurve.AveragePrecision),
            "log-loss" => new LogLossMetric(name, isPerplexity: false),
            "perplexity" => new LogLossMetric(name, isPerplexity: true),
            "ece" => new CalibrationMetric(name, CalibrationBins),
            "mae" => new RegressionMetric(name, higherIsBetter: false, sums => sums.AbsoluteError / sums.Count),
            "mse" => new RegressionMetric(name, higherIsBetter: false, sums => sums.SquaredError / sums.Count),
            "rmse" => new RegressionMetric(name, higherIsBetter: false, sums => Math.Sqrt(sums.SquaredError / sums.Count)),
            "r2" => new RegressionMetric(name, higherIsBetter: true, RegressionMetric.R2),
            _ => throw new OptionsException("metrics", [$"metric '{name}' is not known. {NearestName.Suggest(name, Names)}"]),
        };
    }

    private static ConfusionMetric Score(string name, int? classes, ClassScore score, ClassAveraging averaging)
        => new(name, classes, matrix => matrix.Average(score, averaging));

    [GeneratedRegex("^top([1-9][0-9]{0,5})-accuracy$")]
    private static partial Regex TopAccuracy();
}

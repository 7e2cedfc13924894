using System.Text.Json;

namespace Nabla.Training.Tests;

/// <summary>
/// Metrics against scikit-learn, torchmetrics and formulas. Each quantity of a case that has a counterpart here is compared; the others are
/// listed. A case without any is skipped, and says why.
/// </summary>
[LeaksNoTensors]
public sealed class MetricGoldenTests(ITestOutputHelper output)
{
    private const string Area = "metrics";

    /// <summary>For numbers that are computed in double precision from integers or from the inputs themselves (README, tolerances).</summary>
    private const double Exact = 1e-12;

    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases() => Golden.Rows(Area);

    [Theory, MemberData(nameof(Cases))]
    public void Quantities_OfReference_Match(GoldenCase golden)
    {
        using var scope = NewDisposeScope();
        var inputs = golden.Json.GetProperty("inputs");
        var expected = golden.Json.GetProperty("expected");
        var check = new QuantityCheck();
        switch (golden.File)
        {
            case "classification-labels":
                Labels(check, inputs, expected);
                break;
            case "classification-binary-scores":
                BinaryScores(check, inputs, expected);
                break;
            case "classification-multiclass-scores":
                MulticlassScores(check, inputs, expected);
                break;
            case "calibration":
                Calibration(check, golden.Text("kind")!, inputs, expected);
                break;
            case "streaming":
                Streaming(check, inputs, expected);
                break;
            case "regression":
                Regression(check, inputs, expected);
                break;
            case "text-perplexity":
                Perplexity(check, inputs, expected);
                break;
            default:
                Assert.Skip($"cases of {golden.File} ({golden.Text("kind") ?? "no kind"}) have no counterpart here");
                break;
        }
        output.WriteLine($"not computed here: {string.Join(", ", check.Left)}");
        Assert.SkipWhen(check.Compared == 0, $"{golden} ({golden.Text("kind") ?? "no kind"}): {check.WhyNothing}");
    }

    private static void Labels(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        if (inputs.TryGetProperty("sample_weight", out _))
        {
            check.WhyNothing = "weights of examples are not supported";
            return;
        }
        var (truth, predicted) = (inputs.GetProperty("y_true"), inputs.GetProperty("y_pred"));
        if (truth.EnumerateArray().Concat(predicted.EnumerateArray()).Any(label => label.ValueKind == JsonValueKind.String && label.GetString() != "NaN"))
        {
            check.WhyNothing = "labels are ids here; texts are mapped to ids by the data layer";
            return;
        }
        int? classes = inputs.TryGetProperty("num_classes", out var count) ? count.GetInt32() : null;
        var ignored = inputs.Integer("ignore_index", -100);
        var targets = Vector(truth);
        if (!targets.is_floating_point() || targets.numel() == 0)
        {
            targets = targets.to(ScalarType.Int64);
            targets = targets.masked_fill(targets.eq(ignored), -100);
        }
        var nothingKept = targets.numel() > 0 && targets.eq(-100).all().item<bool>();
        double Of(string name)
        {
            var metric = MetricFactory.Create(name, classes);
            metric.Update(Vector(predicted).to(ScalarType.Int64), targets);
            return metric.Compute();
        }
        double Average(ClassScore score, ClassAveraging averaging, double zeroDivision)
        {
            var metric = (ConfusionMetric)MetricFactory.Create("confusion-matrix", classes);
            metric.Update(Vector(predicted).to(ScalarType.Int64), targets);
            return metric.Matrix.Average(score, averaging, zeroDivision, countAbsentClasses: true);
        }
        ConfusionMatrix Matrix()
        {
            var metric = (ConfusionMetric)MetricFactory.Create("confusion-matrix", classes);
            metric.Update(Vector(predicted).to(ScalarType.Int64), targets);
            return metric.Matrix;
        }
        foreach (var library in expected.EnumerateObject().Where(library => library.Name is "sklearn" or "sklearn_on_kept" or "torchmetrics"))
        {
            var isTorch = library.Name == "torchmetrics";
            foreach (var quantity in library.Value.EnumerateObject())
            {
                var parts = quantity.Name.Split('_');
                Func<double>? one = quantity.Name switch
                {
                    "accuracy" or "accuracy_micro" => () => Of("accuracy"),
                    "balanced_accuracy" => () => Of("balanced-accuracy"),
                    "mcc" when !isTorch => () => Of("mcc"),
                    "kappa_none" when !isTorch => () => Of("kappa"),
                    "f1_macro_present_labels" => () => Of("f1"),
                    _ when parts is [("precision" or "recall" or "f1") and var score, ("micro" or "macro" or "weighted") and var averaging, ("zd0" or "zd1" or "zdnan") and var zero]
                        => () => Average(Score(score), Averaging(averaging), zero switch { "zd0" => 0, "zd1" => 1, _ => double.NaN }),
                    _ when isTorch && parts is [("precision" or "recall" or "f1") and var score, ("micro" or "macro") and var averaging] // weighted differs where a class has no truth
                        => () => Of(averaging == "macro" ? score : $"{score}-{averaging}"),
                    _ => null,
                };
                if (one is not null && isTorch && nothingKept)
                {
                    check.Undefined(quantity.Name, one); // torchmetrics' stand-in is a silent 0
                }
                else if (one is not null)
                {
                    check.Number(quantity.Name, quantity.Value, one, isTorch ? 1e-6 : Exact);
                }
                else if (quantity.Name == "confusion" && !nothingKept)
                {
                    check.Numbers(quantity.Name, quantity.Value, () => Matrix() is { Total: > 0 } matrix ? [.. matrix.ToArray().SelectMany(row => row).Select(number => (double)number)] : [double.NaN], 0);
                }
                else if (parts is [("precision" or "recall" or "f1") and var score, "none", ("zd0" or "zd1" or "zdnan") and var zero])
                {
                    var zeroDivision = zero switch { "zd0" => 0, "zd1" => 1, _ => double.NaN };
                    check.Numbers(quantity.Name, quantity.Value, () =>
                    {
                        var matrix = Matrix();
                        return [.. Enumerable.Range(0, matrix.Classes).Select(c => matrix.OfClass(Score(score), c, zeroDivision))];
                    }, Exact);
                }
                else
                {
                    check.Left.Add($"{library.Name}.{quantity.Name}");
                }
            }
        }
    }

    private static ClassScore Score(string name) => name switch { "precision" => ClassScore.Precision, "recall" => ClassScore.Recall, _ => ClassScore.F1 };

    private static ClassAveraging Averaging(string name) => name switch { "micro" => ClassAveraging.Micro, "macro" => ClassAveraging.Macro, _ => ClassAveraging.Weighted };

    private static void BinaryScores(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        if (inputs.TryGetProperty("sample_weight", out _))
        {
            check.WhyNothing = "weights of examples are not supported";
            return;
        }
        var targets = Vector(inputs.GetProperty("y_true")).to(ScalarType.Int64);
        var scores = Vector(inputs.GetProperty("score")).to(ScalarType.Float64);
        var areProbabilities = scores.numel() > 0 && scores.ge(0).all().item<bool>() && scores.le(1).all().item<bool>();
        var logits = scores.log() - scores.neg().log1p();
        double Of(string name, Tensor predictions)
        {
            var metric = MetricFactory.Create(name, 2);
            metric.Update(predictions, targets);
            return metric.Compute();
        }
        double OfPair(string name) // the same as logits of two classes
        {
            return Of(name, stack([zeros_like(scores), scores], -1));
        }
        foreach (var quantity in expected.GetProperty("sklearn").EnumerateObject())
        {
            switch (quantity.Name)
            {
                case "roc_auc":
                    check.Number(quantity.Name, quantity.Value, () => Of("auc", scores), Exact);
                    check.Number(quantity.Name, quantity.Value, () => OfPair("auc"), Exact);
                    break;
                case "average_precision":
                    check.Number(quantity.Name, quantity.Value, () => Of("average-precision", scores), Exact);
                    check.Number(quantity.Name, quantity.Value, () => OfPair("average-precision"), Exact);
                    break;
                case "log_loss" when areProbabilities:
                    check.Number(quantity.Name, quantity.Value, () => Of("log-loss", logits), 1e-9);
                    break;
                case "accuracy_at_0.5" when areProbabilities:
                    check.Number(quantity.Name, quantity.Value, () => Of("accuracy", logits), Exact);
                    break;
                default:
                    check.Left.Add($"sklearn.{quantity.Name}");
                    break;
            }
        }
    }

    private static void MulticlassScores(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        var targets = Vector(inputs.GetProperty("y_true")).to(ScalarType.Int64);
        var logits = Matrix(inputs.GetProperty("score")).log();
        // Only probabilities can be given as logits without changing them; within a row the order stays in any case.
        var areProbabilities = (Matrix(inputs.GetProperty("score")).sum(1) - 1).abs().max().item<double>() < 1e-5;
        double Of(string name)
        {
            var metric = MetricFactory.Create(name, (int)logits.shape[1]);
            metric.Update(logits, targets);
            return metric.Compute();
        }
        foreach (var library in expected.EnumerateObject())
        {
            foreach (var quantity in library.Value.EnumerateObject())
            {
                var name = (library.Name, quantity.Name) switch
                {
                    ("sklearn", "roc_auc_ovr_macro") => "auc",
                    ("sklearn", "average_precision_macro") => "average-precision",
                    ("sklearn", "log_loss") => "log-loss",
                    ("own", var top) when top.StartsWith("top_", StringComparison.Ordinal) && top.EndsWith("_first", StringComparison.Ordinal) => $"top{top.Split('_')[1]}-accuracy",
                    _ => null,
                };
                if (name is null || (!areProbabilities && !name.StartsWith("top", StringComparison.Ordinal)))
                {
                    check.Left.Add($"{library.Name}.{quantity.Name}");
                    continue;
                }
                check.Number(quantity.Name, quantity.Value, () => Of(name), name == "log-loss" ? 1e-6 : Exact);
                if (name == "top1-accuracy")
                {
                    check.Number("accuracy", quantity.Value, () => Of("accuracy"), Exact);
                }
            }
        }
    }

    private static void Calibration(QuantityCheck check, string kind, JsonElement inputs, JsonElement expected)
    {
        check.WhyNothing = $"fits that calibrate ({kind}) are not implemented";
        if (kind == "error")
        {
            var bins = new CalibrationBins(inputs.GetProperty("n_bins").GetInt32());
            foreach (var (confidence, isRight) in inputs.GetProperty("confidence").EnumerateArray().Zip(inputs.GetProperty("correct").EnumerateArray()))
            {
                bins.Add(confidence.GetDouble(), isRight.GetInt32() == 1);
            }
            var own = expected.GetProperty("own").GetProperty("right_closed");
            check.Number("ece", own.GetProperty("ece"), () => bins.ExpectedError, Exact);
            check.Number("mce", own.GetProperty("mce"), () => bins.LargestError, Exact);
        }
        else if (kind == "error-multiclass")
        {
            var metric = new CalibrationMetric("ece", inputs.GetProperty("n_bins").GetInt32());
            metric.Update(Matrix(inputs.GetProperty("probability")).log(), Vector(inputs.GetProperty("y_true")).to(ScalarType.Int64));
            check.Number("ece", expected.GetProperty("own").GetProperty("top_label").GetProperty("ece"), metric.Compute, 1e-6);
        }
    }

    private static void Streaming(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        if (!inputs.TryGetProperty("sizes", out var sizes))
        {
            WelfordMerge(check, inputs, expected);
            return;
        }
        var targets = Vector(inputs.GetProperty("y_true")).to(ScalarType.Int64);
        var logits = Matrix(inputs.GetProperty("probability")).log();
        var (numbers, guesses) = (Vector(inputs.GetProperty("target")), Vector(inputs.GetProperty("prediction")));
        var classes = inputs.GetProperty("num_classes").GetInt32();
        foreach (var quantity in expected.EnumerateObject())
        {
            Metric? metric = quantity.Name switch
            {
                "accuracy_micro" => MetricFactory.Create("accuracy"),
                "accuracy_macro" => MetricFactory.Create("balanced-accuracy", classes),
                "f1_macro" => MetricFactory.Create("f1", classes),
                "f1_weighted" => MetricFactory.Create("f1-weighted", classes),
                "roc_auc_macro" => MetricFactory.Create("auc"),
                "average_precision_macro" => MetricFactory.Create("average-precision"),
                "ece" => new CalibrationMetric("ece", 10),
                "mcc" => MetricFactory.Create("mcc", classes),
                "kappa" => MetricFactory.Create("kappa", classes),
                "mse" or "rmse" or "mae" or "r2" => MetricFactory.Create(quantity.Name),
                _ => null,
            };
            if (metric is null)
            {
                check.Left.Add(quantity.Name);
                continue;
            }
            var (predictions, truth) = metric is RegressionMetric ? (guesses, numbers) : (logits, targets);
            var start = 0L;
            foreach (var (batch, size) in sizes.EnumerateArray().Select(size => size.GetInt64()).Index())
            {
                metric.Update(predictions.narrow(0, start, size), truth.narrow(0, start, size));
                start += size;
                var after = quantity.Value.GetProperty("after_each")[batch];
                // torchmetrics counts classes that have turned up so far only as absent or as 0, by metric; the whole decides there
                if (quantity.Name is not ("roc_auc_macro" or "average_precision_macro" or "accuracy_macro") || start == 30)
                {
                    check.Number($"{quantity.Name} after batch {batch}", after, metric.Compute, 2e-6);
                }
            }
            if (quantity.Value.Get("whole") is { } whole)
            {
                check.Number($"{quantity.Name} of the whole", whole, metric.Compute, Math.Max(Exact, quantity.Name.Contains("log") ? 1e-6 : Exact));
            }
        }
    }

    /// <summary>Mean and spread of two parts merge to those of the whole, at any offset.</summary>
    private static void WelfordMerge(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        var (values, split) = (inputs.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).ToArray(), inputs.GetProperty("split").GetInt32());
        var sums = new RegressionSums();
        sums.Add(new double[split], values.AsSpan(0, split), 0, 1);
        sums.Add(new double[values.Length - split], values.AsSpan(split), 0, 1);
        var m2 = expected.GetProperty("merged").GetProperty("m2");
        check.Number("m2", m2, () => sums.Spread, 1e-7 * m2.GetDouble());
    }

    private static void Regression(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        var isWeighted = inputs.TryGetProperty("sample_weight", out _);
        var truth = inputs.GetProperty("y_true");
        var isMatrix = truth.GetArrayLength() > 0 && truth[0].ValueKind == JsonValueKind.Array;
        var (targets, predictions) = isMatrix ? (Matrix(truth), Matrix(inputs.GetProperty("prediction"))) : (Vector(truth), Vector(inputs.GetProperty("prediction")));
        double Of(string name)
        {
            var metric = MetricFactory.Create(name);
            var (first, all) = (targets.numel() == 0 ? 0 : targets.shape[0] / 3, targets.numel() == 0 ? 0 : targets.shape[0]);
            if (predictions.shape[0] == all && first > 0)
            {
                metric.Update(predictions.narrow(0, 0, first), targets.narrow(0, 0, first));
                metric.Update(predictions.narrow(0, first, all - first), targets.narrow(0, first, all - first));
            }
            else
            {
                metric.Update(predictions, targets);
            }
            return metric.Compute();
        }
        foreach (var quantity in expected.GetProperty("sklearn").EnumerateObject())
        {
            var name = quantity.Name switch
            {
                "mae" or "mse" or "rmse" when !isWeighted => quantity.Name,
                "r2_not_forced" when !isWeighted => "r2",
                "r2" when !isWeighted && !expected.GetProperty("sklearn").TryGetProperty("r2_not_forced", out _) => "r2",
                "mae_uniform_average" or "mse_uniform_average" or "rmse_uniform_average" => quantity.Name.Split('_')[0],
                _ => null,
            };
            if (name is null)
            {
                check.Left.Add($"sklearn.{quantity.Name}");
            }
            else
            {
                check.Number(quantity.Name, quantity.Value, () => Of(name), Exact, Exact);
            }
        }
        check.WhyNothing = "weights of examples are not supported";
    }

    private static void Perplexity(QuantityCheck check, JsonElement inputs, JsonElement expected)
    {
        var targets = Matrix(inputs.GetProperty("target")).to(ScalarType.Int64);
        var ignored = inputs.Integer("ignore_index", -100);
        targets = targets.masked_fill(targets.eq(ignored), -100);
        var logits = stack(inputs.GetProperty("logits").EnumerateArray().Select(Matrix));
        foreach (var type in new[] { ScalarType.Float64, ScalarType.Float32 })
        {
            var metric = MetricFactory.Create("perplexity");
            foreach (var i in Enumerable.Range(0, (int)logits.shape[0])) // sentence by sentence: not the mean of their perplexities
            {
                metric.Update(logits.narrow(0, i, 1).to(type), targets.narrow(0, i, 1));
            }
            check.Number("perplexity", expected.GetProperty("perplexity"), metric.Compute, 0, type == ScalarType.Float64 ? 1e-9 : 1e-5);
        }
        check.Left.AddRange(expected.EnumerateObject().Select(quantity => quantity.Name).Where(name => name != "perplexity"));
    }

    private static Tensor Vector(JsonElement values)
    {
        var numbers = values.EnumerateArray().Select(GoldenCase.Number).ToArray();
        var result = tensor(numbers, ScalarType.Float64);
        return Array.TrueForAll(numbers, double.IsInteger) && values.EnumerateArray().All(value => !value.GetRawText().Contains('.')) ? result.to(ScalarType.Int64) : result;
    }

    private static Tensor Matrix(JsonElement rows) => stack(rows.EnumerateArray().Select(row => tensor(row.EnumerateArray().Select(GoldenCase.Number).ToArray(), ScalarType.Float64)));
}

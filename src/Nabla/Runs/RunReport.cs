using System.Globalization;
using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>Gathers what the report of a run shows.</summary>
internal sealed class RunReport(
    Recipe recipe, RunFolder folder, ModelTask task, PreparedData data, ModelSummary summary, TrainingResult result,
    IReadOnlyDictionary<string, double> metrics, IReadOnlyDictionary<string, (EvaluationResult Result, SplitPredictions Predictions)> evaluations)
{
    private const int SampleCount = 12, ResidualPoints = 1500, HistogramBins = 24, GeneratedTokens = 400, ShownProbabilities = 3;

    /// <summary>The report.</summary>
    public ReportData Build()
    {
        var status = folder.ReadStatus();
        // The split that says most: the test, else the validation.
        var split = evaluations.ContainsKey("test") ? "test" : evaluations.ContainsKey("validation") ? "validation" : null;
        var predictions = split is null ? null : evaluations[split].Predictions;
        var hasExamples = predictions is { HasExamples: true, Count: > 0 };
        var isClassified = hasExamples && data.Preprocessing.Classes.Count > 0;
        var confusion = isClassified ? new ReportConfusion(data.Preprocessing.Classes, predictions!.Confusion(data.Preprocessing.Classes.Count), split!) : null;
        var report = ReportBuilder.FromRun(folder.FullPath, recipe.Task, status.UpdatedAt) with
        {
            Title = recipe.Name,
            Headline = Headline(split),
            Confusion = confusion,
            Residuals = hasExamples && !isClassified ? Residuals(predictions!, split!) : null,
            Language = recipe.Task == ModelTasks.LanguageModeling ? Language(split) : null,
            Samples = hasExamples ? Samples(predictions!, split!) : [],
            Mistakes = isClassified ? Mistakes(predictions!, split!) : [],
            DataCard = Card(),
            Model = Model(),
            Profile = folder.ReadProfile(),
            Resources = Resources(),
            Findings = [.. data.Facts.Warnings.Select(warning => new ReportFinding(ReportSeverity.Warning, "Data", warning))],
        };
        // Beside the loss itself, its mean over an epoch and the size of gradients are for other eyes; they stay in metrics.jsonl.
        return ReportBuilder.Complete(report with { Curves = [.. report.Curves.Where(curve => MetricText.Measure(curve.Name) is not ("epoch-loss" or "gradient-norm"))] });
    }

    private IReadOnlyList<ReportMetric> Headline(string? split) =>
    [
        .. metrics.Where(metric => MetricText.Split(metric.Key) == (split ?? "train"))
            .OrderBy(metric => MetricText.Measure(metric.Key) == "loss").ThenBy(metric => metric.Key, StringComparer.Ordinal)
            .Select(metric => new ReportMetric(metric.Key, metric.Value)),
    ];

    private ReportResiduals Residuals(SplitPredictions predictions, string split)
    {
        var residuals = predictions.Values.Zip(predictions.Actual, (predicted, actual) => predicted - actual).ToArray();
        var shown = Chosen(predictions.Count, ResidualPoints);
        return new()
        {
            Target = TableEncoder.FromJson(data.Preprocessing.Table!.Value.GetRawText()).Target,
            Split = split,
            Actual = [.. shown.Select(i => predictions.Actual[i])],
            Predicted = [.. shown.Select(i => predictions.Values[i])],
            Histogram = Histogram(residuals),
        };
    }

    private static IReadOnlyList<ReportBin> Histogram(double[] values)
    {
        var finite = values.Where(double.IsFinite).ToArray();
        if (finite.Length == 0)
        {
            return [];
        }
        var (low, high) = (finite.Min(), finite.Max());
        var width = high > low ? (high - low) / HistogramBins : 1;
        var counts = new long[HistogramBins];
        foreach (var value in finite)
        {
            counts[Math.Min(HistogramBins - 1, (int)((value - low) / width))]++;
        }
        return [.. counts.Select((count, i) => new ReportBin(low + (i * width), low + ((i + 1) * width), count))];
    }

    private ReportLanguage Language(string? split)
    {
        var model = (LanguageModel)task.Model;
        TextWriting writing = new(model, data.Preprocessing);
        var generations = new[] { 0.8, 1.0 }.Select(temperature =>
        {
            var (prompt, text) = writing.Write(null, new() { MaxTokens = GeneratedTokens, Temperature = temperature, Seed = recipe.Seed }, lines: 12);
            return new ReportGeneration(prompt, text, string.Create(CultureInfo.InvariantCulture, $"temperature {temperature}"));
        });
        return new()
        {
            Perplexity = Math.Exp(metrics.GetValueOrDefault($"{split ?? "train"}/loss", double.NaN)),
            Token = data.Preprocessing.Text!.Unit == TokenUnit.Character ? "character" : "word",
            Split = split ?? "train",
            Generations = [.. generations],
        };
    }

    private IReadOnlyList<ReportSample> Samples(SplitPredictions predictions, string split)
        => [.. Chosen(predictions.Count, SampleCount).Select(i => Sample(predictions, split, i))];

    /// <summary>Wrong answers, the most confident first.</summary>
    private IReadOnlyList<ReportSample> Mistakes(SplitPredictions predictions, string split)
        => [.. Enumerable.Range(0, predictions.Count)
            .Where(i => predictions.Predicted(i) != predictions.Class(i))
            .OrderByDescending(i => predictions.Probabilities(i).Max())
            .Take(SampleCount)
            .Select(i => Sample(predictions, split, i))];

    private ReportSample Sample(SplitPredictions predictions, string split, int example)
    {
        var raw = data.Describe(split, example);
        var sample = new ReportSample { Predicted = "", Picture = raw.Picture, Text = raw.Text, Row = raw.Row, Source = raw.Source };
        if (data.Preprocessing.Classes.Count == 0)
        {
            return sample with { Predicted = MetricText.Number(predictions.Values[example]), Actual = MetricText.Number(predictions.Actual[example]) };
        }
        var (classes, probabilities) = (data.Preprocessing.Classes, predictions.Probabilities(example));
        return sample with
        {
            Predicted = classes[predictions.Predicted(example)],
            Actual = classes[(int)predictions.Class(example)],
            Correct = predictions.Predicted(example) == predictions.Class(example),
            Probabilities = [.. probabilities.Select((p, i) => new ReportProbability(classes[i], p)).OrderByDescending(p => p.Probability).Take(ShownProbabilities)],
        };
    }

    /// <summary>Some examples chosen by the seed, in the order of the data.</summary>
    private int[] Chosen(int count, int wanted)
        => [.. RandomStream.At(recipe.Seed, RandomPurpose.Sampling, count).Permutation(count).Take(wanted).Select(i => (int)i).Order()];

    private ReportDataCard Card()
    {
        var facts = data.Facts;
        var classes = data.Preprocessing.Classes;
        return new()
        {
            Name = facts.Name,
            Description = facts.Card,
            Licence = facts.Licence,
            Source = facts.Source,
            ContentHash = facts.ContentHash,
            Splits =
            [
                .. facts.Counts.Select(split => new ReportSplit(split.Key, split.Value,
                    facts.ClassCounts.TryGetValue(split.Key, out var counts) ? [.. counts.Select((count, i) => new ReportLabelCount(classes[i], count))] : [])),
            ],
            Facts = [new("Unit", facts.Unit), new("Trained on", data.Preprocessing.TrainedOn)],
        };
    }

    private ReportModel Model() => new()
    {
        Name = recipe.Model.Family,
        Layers =
        [
            .. summary.Layers.Where(layer => layer.IsLeaf && layer.Calls > 0).Select(layer => new ReportLayer(
                layer.Path, layer.Type, string.Join(", ", layer.OutputShapes.Select(shape => ShapeException.Format([.. shape]))), layer.Parameters, layer.MultiplyAdds)),
        ],
        Parameters = summary.Parameters,
        TrainableParameters = summary.TrainableParameters,
        MultiplyAdds = summary.MultiplyAdds,
    };

    private IReadOnlyList<ReportFact> Resources() =>
    [
        new("Training time", MetricText.Duration(result.Elapsed)),
        new("Optimiser steps", MetricText.Count(result.Steps)),
        new("Epochs", result.Epochs.ToString(CultureInfo.InvariantCulture)),
        new("Stopped because", Words(result.StopReason)),
        new("Peak memory of the process", MetricText.Bytes(System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64)),
    ];

    private static string Words(StopReason reason) => reason switch
    {
        StopReason.EpochsCompleted => "all epochs were done",
        StopReason.MaxStepsReached => "the bound on steps was reached",
        StopReason.EarlyStopping => "the watched metric no longer improved",
        StopReason.Callback => "a callback asked for it",
        _ => "it was interrupted",
    };
}

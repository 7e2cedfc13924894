using System.Globalization;

namespace Nabla;

/// <summary>Looks through a report for what its reader should know: gaps between training and validation, unbalanced classes, a run cut short.</summary>
public static class ReportFindings
{
    /// <summary>What is worth knowing, the gravest first.</summary>
    /// <param name="data">The report; its own <see cref="ReportData.Findings"/> are not looked at.</param>
    public static IReadOnlyList<ReportFinding> Of(ReportData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return [.. FromStatus(data).Concat(FromCurves(data)).Concat(FromClasses(data)).OrderByDescending(finding => finding.Severity)];
    }

    private static IEnumerable<ReportFinding> FromStatus(ReportData data)
    {
        if (data.Status is "failed" or "crashed")
        {
            yield return new(ReportSeverity.Problem, "The run failed", "What follows is what was logged before. See the log of the run for the error, and go on from the last checkpoint with --resume.");
        }
        if (data.Status == "interrupted")
        {
            yield return new(ReportSeverity.Warning, "The run was interrupted", "It did not reach its planned end. Go on with --resume.");
        }
        if (data.Status == "stopped-early")
        {
            yield return new(ReportSeverity.Note, "Stopped early", "The watched metric no longer improved, so training ended before its last epoch. The best checkpoint is the one that is evaluated.");
        }
    }

    private static IEnumerable<ReportFinding> FromCurves(ReportData data)
    {
        var broken = data.Curves.Where(curve => curve.Points.Any(point => !double.IsFinite(point.Value))).ToList();
        if (broken.Count > 0)
        {
            var (name, first) = (broken[0].Name, broken[0].Points.First(point => !double.IsFinite(point.Value)));
            yield return new(ReportSeverity.Problem, "Values that are not numbers", $"{name} was {MetricText.Number(first.Value)} at step {MetricText.Count(first.Step)}. Lower the learning rate or clip the gradients.");
        }
        var (training, validation) = (Finite(data, "train/loss"), Finite(data, "validation/loss"));
        if (validation.Count >= 3)
        {
            var (best, last) = (validation.MinBy(point => point.Value), validation[^1]);
            var trainingStillFell = training.Count > 0 && training[^1].Value < training.Where(point => point.Step <= best.Step).DefaultIfEmpty(training[0]).Last().Value;
            if (last.Value > best.Value * 1.05 && trainingStillFell)
            {
                yield return new(ReportSeverity.Warning, "Overfitting",
                    $"The validation loss was best at step {MetricText.Count(best.Step)} ({MetricText.Number(best.Value)}) and rose to {MetricText.Number(last.Value)} while the training loss went on falling. Keep early_stopping on, add data, augmentation, dropout or weight decay, or take a smaller model.");
            }
            else if (best.Step == last.Step && validation[^2].Value - last.Value > 0.02 * Math.Abs(last.Value) && data.Status == "completed")
            {
                yield return new(ReportSeverity.Note, "Still improving", $"The last evaluation had the best validation loss, {MetricText.Number(last.Value)} after {MetricText.Number(validation[^2].Value)}. More epochs would likely help.");
            }
        }
        var (trainingAccuracy, validationAccuracy) = (Finite(data, "train/accuracy"), Finite(data, "validation/accuracy"));
        if (trainingAccuracy.Count > 0 && validationAccuracy.Count > 0)
        {
            var tail = trainingAccuracy.Skip(trainingAccuracy.Count * 9 / 10).Average(point => point.Value);   // single batches are noisy
            if (tail - validationAccuracy[^1].Value > 0.1)
            {
                yield return new(ReportSeverity.Warning, "Gap between training and validation",
                    $"Accuracy is {MetricText.Value("accuracy", tail)} on training data and {MetricText.Value("accuracy", validationAccuracy[^1].Value)} on validation data.");
            }
        }
    }

    private static IEnumerable<ReportFinding> FromClasses(ReportData data)
    {
        var labels = data.DataCard?.Splits.FirstOrDefault(split => split.Name == "train")?.Labels.Where(label => label.Count > 0).ToList() ?? [];
        if (labels.Count >= 2 && labels.MaxBy(label => label.Count) is { } most && labels.MinBy(label => label.Count) is { } least && most.Count >= 4 * least.Count)
        {
            yield return new(ReportSeverity.Warning, "Unbalanced classes",
                $"\u201c{most.Label}\u201d has {MetricText.Count(most.Count)} training examples, \u201c{least.Label}\u201d {MetricText.Count(least.Count)}. Read recall and F1 of each class rather than accuracy; class weights or balanced sampling may help.");
        }
        if (data.Confusion is not { } confusion || confusion.Total() == 0)
        {
            yield break;
        }
        var (total, accuracy) = (confusion.Total(), (double)confusion.Correct() / confusion.Total());
        var (majority, share) = ReportVerdict.Majority(confusion);
        if (confusion.Classes.Count > 1 && accuracy <= share)
        {
            yield return new(ReportSeverity.Problem, "No better than guessing",
                string.Create(CultureInfo.InvariantCulture, $"Accuracy is {accuracy * 100:0.0} %; always answering \u201c{majority}\u201d gives {share * 100:0.0} %. Check that inputs and labels belong together, and the learning rate."));
        }
        else if (confusion.Scores().Where(score => score.Support >= 5).MinBy(score => score.Recall) is { } weakest && weakest.Recall < 0.6 * accuracy)
        {
            yield return new(ReportSeverity.Warning, "A weak class",
                $"Only {MetricText.Value("recall", weakest.Recall)} of \u201c{weakest.Class}\u201d are found, against {MetricText.Value("accuracy", accuracy)} over all classes.");
        }
        if (total < 100)
        {
            var (low, high) = ReportVerdict.Interval(confusion.Correct(), total);
            yield return new(ReportSeverity.Note, "Few examples to judge by",
                string.Create(CultureInfo.InvariantCulture, $"The figures rest on {total} examples: the true accuracy lies between {low * 100:0} and {high * 100:0} % with 95 % confidence."));
        }
    }

    private static List<ReportPoint> Finite(ReportData data, string name) =>
        data.Curves.FirstOrDefault(curve => curve.Name == name)?.Points.Where(point => double.IsFinite(point.Value)).ToList() ?? [];
}

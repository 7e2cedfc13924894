namespace Nabla;

/// <summary>
/// Starts a report from what a run folder holds: recipe, environment, curves, status. Predictions, the model and the data card are added by
/// who has them, <c>ReportBuilder.FromRun(folder, task) with { Confusion = ..., Samples = ... }</c>, and <see cref="Complete"/> then adds
/// headline and findings.
/// </summary>
public static class ReportBuilder
{
    /// <summary>The report of a run, as far as its folder tells.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="task">The task, such as <c>image-classification</c>.</param>
    /// <param name="endedAt">When the run ended; null: not known.</param>
    /// <exception cref="RunNotFoundException">The folder is not there or holds no run.</exception>
    /// <exception cref="IOException">A file is there but cannot be read.</exception>
    public static ReportData FromRun(string folder, string task, DateTimeOffset? endedAt = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        if (!Directory.Exists(folder) || !RunReader.LooksLikeRun(folder))
        {
            throw new RunNotFoundException($"{folder}: expected a run folder, got {(Directory.Exists(folder) ? "a folder without recipe.yaml" : "nothing at this path")}. See 'nabla runs list'.");
        }
        var run = RunReader.Read(folder);
        var curves = RunReader.Curves(folder);
        var recipe = Path.Combine(folder, "recipe.yaml");
        var steps = run.Summary.Steps;
        return new()
        {
            Title = run.Summary.Name,
            Task = task,
            RunId = run.Summary.Id,
            Status = run.Summary.Status is "running" or "created" or "unknown" && endedAt is not null ? "completed" : run.Summary.Status,
            StartedAt = run.Summary.StartedAt,
            EndedAt = endedAt,
            Duration = run.Summary.Duration,
            Curves = [.. curves.Where(curve => !IsLearningRate(curve))],
            LearningRate = curves.FirstOrDefault(IsLearningRate),
            Settings = File.Exists(recipe) ? File.ReadAllText(recipe) : "",
            Environment = [.. run.Environment.Select(fact => fact with { Name = fact.Name.Replace('_', ' ') })],
            Resources =
            [
                .. run.Summary.Duration is { } duration ? [new ReportFact("training time", MetricText.Duration(duration))] : Array.Empty<ReportFact>(),
                .. steps > 0 ? [new ReportFact("optimiser steps", MetricText.Count(steps))] : Array.Empty<ReportFact>(),
            ],
        };
    }

    /// <summary>Adds what follows from the rest: headline figures where there are none, class scores, and findings.</summary>
    /// <param name="data">The report with all its evidence.</param>
    public static ReportData Complete(ReportData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        data = data with
        {
            Headline = data.Headline.Count > 0 ? data.Headline : Headline(data),
            ClassScores = data.ClassScores.Count > 0 || data.Confusion is null ? data.ClassScores : data.Confusion.Scores(),
        };
        var known = data.Findings.Select(finding => finding.Title).ToHashSet();
        return data with { Findings = [.. data.Findings, .. ReportFindings.Of(data).Where(finding => !known.Contains(finding.Title))] };
    }

    /// <summary>The last value of every test metric, then the best of every validation metric; at most six, the most telling first.</summary>
    private static IReadOnlyList<ReportMetric> Headline(ReportData data)
    {
        var metrics = data.Curves.Where(curve => curve.Points.Count > 0).Select(MetricHistory.Summarize).ToList();
        return [.. metrics.Where(metric => MetricText.Split(metric.Name) is "test" or "validation")
            .OrderBy(metric => MetricText.Split(metric.Name) == "test" ? 0 : 1)
            .ThenBy(metric => RunSummary.MainOrder(MetricText.Measure(metric.Name)))
            .Take(6)
            .Select(metric => MetricText.Split(metric.Name) == "test"
                ? new ReportMetric(metric.Name, metric.Last, Interval(data, metric))
                : new ReportMetric(metric.Name, metric.Best, metric.BestStep == metric.LastStep ? null : $"best, at step {MetricText.Count(metric.BestStep)}"))];
    }

    private static string? Interval(ReportData data, RunMetric metric)
    {
        if (data.Confusion is not { } confusion || metric.Name != $"{confusion.Split}/accuracy" || confusion.Total() == 0)
        {
            return null;
        }
        var (low, high) = ReportVerdict.Interval(confusion.Correct(), confusion.Total());
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"95 % interval {low * 100:0.0} to {high * 100:0.0} %");
    }

    private static bool IsLearningRate(ReportCurve curve) => MetricText.Measure(curve.Name) is "learning-rate" or "learning_rate";
}

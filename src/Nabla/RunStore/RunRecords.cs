namespace Nabla;

/// <summary>A run in one line: what it is, how it stands, and its metrics.</summary>
public sealed record RunSummary
{
    /// <summary>Name of the run folder, <c>UTC time-short id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>What the run is called: the name of the folder above, such as <c>fashion-mnist</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Full path of the run folder.</summary>
    public required string Path { get; init; }

    /// <summary>created, running, completed, stopped-early, interrupted, failed, crashed (its process is gone) or unknown. Default: unknown.</summary>
    public string Status { get; init; } = "unknown";

    /// <summary>The error that ended the run; null: none. Default: null.</summary>
    public string? Error { get; init; }

    /// <summary>When training began. Default: null, not known.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Time between the first and the last sign of life. Default: null, not known.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>Optimiser steps taken, as far as they were logged. Default: 0.</summary>
    public long Steps { get; init; }

    /// <summary>Epochs finished. Default: 0.</summary>
    public double Epochs { get; init; }

    /// <summary>Every metric that was logged, with its last and best value, ordered by name. Default: none.</summary>
    public IReadOnlyList<RunMetric> Metrics { get; init; } = [];

    /// <summary>Why the folder cannot be trusted as a run, with what to do; null when it is whole. Default: null.</summary>
    public string? Damage { get; init; }

    /// <summary>The metric that tells most about the run: on the test split before validation before train, quality before loss; null: none.</summary>
    public RunMetric? MainMetric() => Metrics.Where(metric => MetricText.Split(metric.Name).Length > 0)
        .OrderBy(metric => MetricText.Split(metric.Name) switch { "test" => 0, "validation" => 1, _ => 2 })
        .ThenBy(metric => MainOrder(MetricText.Measure(metric.Name)))
        .FirstOrDefault();

    internal static int MainOrder(string measure)
    {
        var place = Array.IndexOf(["accuracy", "auc", "rmse", "map", "bleu", "rouge-l", "perplexity", "f1", "loss"], measure);
        return place < 0 ? int.MaxValue : place;
    }
}

/// <summary>Last and best value of a metric; NaN is never the best.</summary>
/// <param name="Name">Metric name, such as <c>validation/accuracy</c>.</param>
/// <param name="Last">The value logged last; may be NaN.</param>
/// <param name="LastStep">The step it belongs to.</param>
/// <param name="Best">The best value, by the direction of the metric; NaN when every value is NaN.</param>
/// <param name="BestStep">The step it was first reached at.</param>
public sealed record RunMetric(string Name, double Last, long LastStep, double Best, long BestStep)
{
    /// <summary>Whether a larger value is better.</summary>
    public bool HigherIsBetter => MetricText.HigherIsBetter(Name);
}

/// <summary>A run with all that its folder holds.</summary>
public sealed record RunDetails
{
    /// <summary>The run in one line.</summary>
    public required RunSummary Summary { get; init; }

    /// <summary>Every value of the resolved recipe by its path, such as <c>training.batch_size</c>, in the order of the file. Default: none.</summary>
    public IReadOnlyList<ReportFact> Settings { get; init; } = [];

    /// <summary>Every value of environment.json by its path. Default: none.</summary>
    public IReadOnlyList<ReportFact> Environment { get; init; } = [];

    /// <summary>Names of the checkpoints that are whole (they have a manifest), by step. Default: none.</summary>
    public IReadOnlyList<string> Checkpoints { get; init; } = [];

    /// <summary>Size of the folder in bytes. Default: 0.</summary>
    public long Bytes { get; init; }
}

/// <summary>Several runs side by side.</summary>
/// <param name="Runs">The runs, in the order asked for.</param>
/// <param name="Settings">The settings in which they differ.</param>
/// <param name="Metrics">Their metrics.</param>
public sealed record RunComparison(IReadOnlyList<RunSummary> Runs, IReadOnlyList<RunSettingRow> Settings, IReadOnlyList<RunMetricRow> Metrics);

/// <summary>A setting that is not the same in all runs.</summary>
/// <param name="Key">Its path in the recipe.</param>
/// <param name="Values">The value in each run; null where the run does not have it.</param>
public sealed record RunSettingRow(string Key, IReadOnlyList<string?> Values);

/// <summary>A metric in each of several runs.</summary>
/// <param name="Name">Metric name.</param>
/// <param name="Values">Last and best value in each run; null where the run does not have it.</param>
/// <param name="BestRun">Index of the run with the best value; null when there is none or several share it.</param>
public sealed record RunMetricRow(string Name, IReadOnlyList<RunMetric?> Values, int? BestRun);

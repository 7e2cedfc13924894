namespace Nabla;

/// <summary>
/// Everything that a run's report tells, as plain records: saved as <c>report.json</c> and drawn by <see cref="ReportWriter"/>.
/// Parts that a run does not have stay empty or null and are left out of the page.
/// </summary>
public sealed record ReportData
{
    /// <summary>Version of this layout. Default: 1.</summary>
    public int FormatVersion { get; init; } = 1;

    /// <summary>What the run is called, such as <c>fashion-mnist</c>.</summary>
    public required string Title { get; init; }

    /// <summary>The task, such as <c>image-classification</c>, <c>tabular-regression</c> or <c>language-model</c>.</summary>
    public required string Task { get; init; }

    /// <summary>Name of the run folder. Default: empty.</summary>
    public string RunId { get; init; } = "";

    /// <summary>How the run stands: completed, stopped-early, interrupted, failed or running. Default: completed.</summary>
    public string Status { get; init; } = "completed";

    /// <summary>When training began. Default: null, not known.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When the run ended. Default: null, not known.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Time that training and evaluation took. Default: null, not known.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The figures that sum the run up, the most important first. Default: none.</summary>
    public IReadOnlyList<ReportMetric> Headline { get; init; } = [];

    /// <summary>Every logged metric over the steps, named <c>split/metric</c>; the splits of a metric share one chart. Default: none.</summary>
    public IReadOnlyList<ReportCurve> Curves { get; init; } = [];

    /// <summary>The learning rate over the steps. Default: null.</summary>
    public ReportCurve? LearningRate { get; init; }

    /// <summary>Counts of true against predicted classes. Default: null.</summary>
    public ReportConfusion? Confusion { get; init; }

    /// <summary>Precision, recall and F1 of each class. Default: none; the page then takes them from <see cref="Confusion"/>.</summary>
    public IReadOnlyList<ReportClassScore> ClassScores { get; init; } = [];

    /// <summary>Predicted against actual values of a regression. Default: null.</summary>
    public ReportResiduals? Residuals { get; init; }

    /// <summary>Generated text and perplexity of a language model. Default: null.</summary>
    public ReportLanguage? Language { get; init; }

    /// <summary>A fair sample of predictions, not chosen by how good they are. Default: none.</summary>
    public IReadOnlyList<ReportSample> Samples { get; init; } = [];

    /// <summary>The mistakes that the model was most sure of, the worst first. Default: none.</summary>
    public IReadOnlyList<ReportSample> Mistakes { get; init; } = [];

    /// <summary>Where the time and memory of some steps went. Default: null, the run was not profiled.</summary>
    public Training.ProfileReport? Profile { get; init; }

    /// <summary>The data that the run learned from. Default: null.</summary>
    public ReportDataCard? DataCard { get; init; }

    /// <summary>The model's layers. Default: null.</summary>
    public ReportModel? Model { get; init; }

    /// <summary>The resolved recipe, YAML. Default: empty.</summary>
    public string Settings { get; init; } = "";

    /// <summary>Versions, device, commit and the like. Default: none.</summary>
    public IReadOnlyList<ReportFact> Environment { get; init; } = [];

    /// <summary>What the run used: time, examples a second, memory, steps. Default: none.</summary>
    public IReadOnlyList<ReportFact> Resources { get; init; } = [];

    /// <summary>What a reader should know before trusting the figures. Default: none; <see cref="ReportFindings.Of"/> finds the usual ones.</summary>
    public IReadOnlyList<ReportFinding> Findings { get; init; } = [];
}

/// <summary>A figure that sums a run up.</summary>
/// <param name="Name">Metric name, such as <c>test/accuracy</c>.</param>
/// <param name="Value">Its value; may be NaN.</param>
/// <param name="Note">One short remark shown below it, such as <c>95 % interval 97.6 to 99.2 %</c>; null: none.</param>
public sealed record ReportMetric(string Name, double Value, string? Note = null);

/// <summary>A metric over the steps of a run.</summary>
/// <param name="Name">Metric name, such as <c>train/loss</c>.</param>
/// <param name="Points">Its values in the order they were logged.</param>
public sealed record ReportCurve(string Name, IReadOnlyList<ReportPoint> Points);

/// <summary>One logged value.</summary>
/// <param name="Step">Optimiser steps taken.</param>
/// <param name="Epoch">Passes over the training data, possibly a fraction.</param>
/// <param name="Value">The value; may be NaN or infinite.</param>
public readonly record struct ReportPoint(long Step, double Epoch, double Value);

/// <summary>A name and what it holds, shown as one line of a table.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">Its value as text.</param>
public sealed record ReportFact(string Name, string Value);

/// <summary>Something a reader should know.</summary>
/// <param name="Severity">How much it matters.</param>
/// <param name="Title">What is the case, in a few words.</param>
/// <param name="Text">The figures behind it, and what to do.</param>
public sealed record ReportFinding(ReportSeverity Severity, string Title, string Text);

/// <summary>How much a finding matters.</summary>
public enum ReportSeverity
{
    /// <summary>Good to know.</summary>
    Note,

    /// <summary>Likely to mislead or to cost quality.</summary>
    Warning,

    /// <summary>The figures cannot be trusted as they are.</summary>
    Problem,
}

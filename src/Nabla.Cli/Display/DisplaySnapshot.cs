namespace Nabla.Cli;

/// <summary>All that one picture of the display is drawn from; immutable.</summary>
internal sealed record DisplaySnapshot
{
    public required DisplayRun Run { get; init; }

    public DisplayProgress? Progress { get; init; }

    public IReadOnlyList<MetricState> Metrics { get; init; } = [];

    public TimeSpan Elapsed { get; init; }

    /// <summary>Time that the rest will take at the pace so far; null: not known yet.</summary>
    public TimeSpan? Remaining { get; init; }

    public DisplayOutcome? Outcome { get; init; }

    /// <summary>Share of all steps that are taken, in [0, 1].</summary>
    public double Share => Outcome is { Status: "completed" or "stopped-early" } ? 1
        : Progress is null ? 0
        : Run.Steps > 0 ? Math.Clamp((double)Progress.Step / Run.Steps, 0, 1)
        : Math.Clamp((Progress.Epoch - 1 + Progress.EpochShare) / Math.Max(1, Run.Epochs), 0, 1);
}

/// <summary>A metric with its curve.</summary>
/// <param name="Name">Metric name, such as <c>validation/loss</c>.</param>
/// <param name="Last">The value that came last.</param>
/// <param name="Best">The best value.</param>
/// <param name="Points">The curve.</param>
internal sealed record MetricState(string Name, double Last, double Best, IReadOnlyList<CurvePoint> Points);

namespace Nabla.Cli;

/// <summary>Gathers what the trainer tells and gives it out as snapshots. Thread-safe.</summary>
/// <param name="time">The clock.</param>
internal sealed class DisplayState(TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, CurveBuffer> _metrics = new(StringComparer.Ordinal);
    private DisplayRun _run = new() { Name = "run", Epochs = 0, Steps = 0 };
    private DisplayProgress? _progress;
    private DisplayOutcome? _outcome;
    private long _started;

    public void Start(DisplayRun run)
    {
        lock (_lock)
        {
            (_run, _started) = (run, time.GetTimestamp());
            (_progress, _outcome) = (null, null);
            _metrics.Clear();
        }
    }

    public void Add(DisplayProgress progress)
    {
        lock (_lock)
        {
            _progress = progress;
            AddMetrics(progress.Step, progress.Metrics);
        }
    }

    public void Add(DisplayEvaluation evaluation)
    {
        lock (_lock)
        {
            AddMetrics(evaluation.Step, evaluation.Metrics);
        }
    }

    public void Complete(DisplayOutcome outcome)
    {
        lock (_lock)
        {
            _outcome = outcome;
            AddMetrics(_progress?.Step ?? 0, outcome.Metrics.Where(metric => !_metrics.ContainsKey(metric.Key)));
        }
    }

    public DisplaySnapshot Snapshot()
    {
        lock (_lock)
        {
            var elapsed = _started == 0 ? TimeSpan.Zero : time.GetElapsedTime(_started);
            DisplaySnapshot snapshot = new()
            {
                Run = _run,
                Progress = _progress,
                Outcome = _outcome,
                Elapsed = elapsed,
                Metrics = [.. _metrics.Select(pair => new MetricState(pair.Key, pair.Value.Last, pair.Value.Best, pair.Value.ToArray()))],
            };
            return snapshot with { Remaining = Remaining(snapshot) };
        }
    }

    /// <summary>Judges by the share done in this process: a resumed run has steps that took no time here.</summary>
    private TimeSpan? Remaining(DisplaySnapshot snapshot)
    {
        var before = _run.Steps > 0 ? (double)_run.ResumedAtStep / _run.Steps : 0;
        var done = snapshot.Share - before;
        return done <= 0 || snapshot.Elapsed < TimeSpan.FromSeconds(1) || snapshot.Share >= 1 ? null
            : TimeSpan.FromSeconds(Math.Min(snapshot.Elapsed.TotalSeconds * (1 - snapshot.Share) / done, TimeSpan.FromDays(999).TotalSeconds));
    }

    private void AddMetrics(long step, IEnumerable<KeyValuePair<string, double>> metrics)
    {
        foreach (var (name, value) in metrics)
        {
            if (!_metrics.TryGetValue(name, out var curve))
            {
                _metrics[name] = curve = new(name);
            }
            curve.Add(step, value);
        }
    }
}

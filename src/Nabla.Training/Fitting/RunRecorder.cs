using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Nabla.Training;

/// <summary>
/// Tells the outside how training goes: rows of <c>metrics.jsonl</c>, TensorBoard events, <c>status.json</c>, progress a few times a second, log lines.
/// Not thread-safe.
/// </summary>
internal sealed class RunRecorder : IDisposable
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);
    private readonly TrainerContext _context;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly MetricsLog? _rows;
    private readonly TensorBoardWriter? _events;
    private readonly DateTimeOffset _startedAt;
    private readonly long _start;
    private readonly double _secondsBefore;
    private readonly long _stepsBefore;
    private long _lastProgress;
    private long _examples;

    /// <summary>Opens the files of the run folder to go on after a step.</summary>
    public RunRecorder(TrainerContext context, TimeProvider time, ILogger logger, long step, double secondsBefore)
    {
        (_context, _time, _logger, _stepsBefore, _secondsBefore) = (context, time, logger, step, secondsBefore);
        (_startedAt, _start) = (time.GetUtcNow(), time.GetTimestamp());
        if (context.Folder is { } folder)
        {
            _rows = MetricsLog.OpenAfter(folder.MetricsPath, step);
            _events = new(folder.FullPath, step > 0 ? step + 1 : null, time);
        }
    }

    /// <summary>Time spent training, over all processes.</summary>
    public TimeSpan Elapsed => TimeSpan.FromSeconds(_secondsBefore) + _time.GetElapsedTime(_start);

    /// <summary>Counts the examples of a step, for the rate.</summary>
    public void CountExamples(long examples) => _examples += examples;

    /// <summary>Writes a row of metrics everywhere.</summary>
    public void WriteRow(long step, int epoch, IReadOnlyDictionary<string, double> metrics)
    {
        _rows?.Append(new(step, epoch, _time.GetUtcNow(), Elapsed.TotalSeconds, metrics));
        _events?.WriteScalars(step, metrics);
        if (_logger.IsEnabled(LogLevel.Debug))
        {
            TrainingLog.StepLogged(_logger, step, Describe(metrics));
        }
    }

    /// <summary>Makes the rows so far survive a loss of power.</summary>
    public void FlushToDisk() => _rows?.FlushToDisk();

    /// <summary>Reports progress, unless it was reported a moment ago.</summary>
    /// <param name="create">Makes the report from elapsed time, steps and examples a second.</param>
    /// <param name="always">Whether to report in any case.</param>
    /// <param name="step">Steps taken.</param>
    public void Report(long step, bool always, Func<TimeSpan, double, double, TrainingProgress> create)
    {
        if (_context.Progress is not { } progress || (!always && _time.GetElapsedTime(_lastProgress) < ProgressInterval))
        {
            return;
        }
        _lastProgress = _time.GetTimestamp();
        var here = Math.Max(_time.GetElapsedTime(_start).TotalSeconds, 1e-9);
        progress.Report(create(Elapsed, (step - _stepsBefore) / here, _examples / here));
    }

    /// <summary>Replaces the run's status.</summary>
    public void WriteStatus(RunState state, long step, long? totalSteps, int epoch, IReadOnlyDictionary<string, double> metrics, StopReason? reason = null, string? error = null)
        => _context.Folder?.WriteStatus(new()
        {
            State = state,
            ProcessId = Environment.ProcessId,
            Machine = Environment.MachineName,
            StartedAt = _startedAt,
            UpdatedAt = _time.GetUtcNow(),
            Step = step,
            TotalSteps = totalSteps,
            Epoch = epoch,
            Seconds = Elapsed.TotalSeconds,
            StopReason = reason,
            Metrics = new Dictionary<string, double>(metrics),
            Error = error,
        });

    /// <summary>Metrics as <c>name value</c>, for log lines.</summary>
    public static string Describe(IReadOnlyDictionary<string, double> metrics)
        => string.Join(", ", metrics.Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key} {metric.Value:G5}")));

    /// <inheritdoc/>
    public void Dispose()
    {
        _rows?.Dispose();
        _events?.Dispose();
    }
}

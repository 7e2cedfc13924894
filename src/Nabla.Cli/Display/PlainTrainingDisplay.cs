using System.Globalization;

namespace Nabla.Cli;

/// <summary>Tells the run in plain lines, one for each evaluation and epoch and one every few seconds: for logs, pipes and simple terminals. Thread-safe.</summary>
/// <param name="output">Where to write, standard error.</param>
/// <param name="time">The clock.</param>
/// <param name="interval">Time between two lines of progress; null: 10 seconds.</param>
internal sealed class PlainTrainingDisplay(TextWriter output, TimeProvider time, TimeSpan? interval = null) : ITrainingDisplay
{
    private readonly Lock _lock = new();
    private readonly DisplayState _state = new(time);
    private readonly TimeSpan _interval = interval ?? TimeSpan.FromSeconds(10);
    private TimeSpan _lastLine;
    private int _lastEpoch;
    private bool _isBroken;

    /// <inheritdoc/>
    public void OnStarted(DisplayRun run)
    {
        lock (_lock)
        {
            _state.Start(run);
            (_lastLine, _lastEpoch) = (TimeSpan.Zero, 0);
            var parts = new[]
            {
                run.Model.Length > 0 ? run.Model : null,
                run.Parameters > 0 ? $"{MetricText.Count(run.Parameters)} parameters" : null,
                run.Device, run.Precision,
                run.Examples > 0 ? $"{MetricText.Count(run.Examples)} examples" : null,
                $"{run.Epochs} epochs",
                run.Steps > 0 ? $"{MetricText.Count(run.Steps)} steps" : null,
                run.ResumedAtStep > 0 ? $"resumed at step {MetricText.Count(run.ResumedAtStep)}" : null,
            };
            Write($"{run.Name}: {string.Join(", ", parts.Where(part => part is not null))}");
        }
    }

    /// <inheritdoc/>
    public void OnProgress(DisplayProgress progress)
    {
        lock (_lock)
        {
            _state.Add(progress);
            var snapshot = _state.Snapshot();
            var isNewEpoch = progress.Epoch > _lastEpoch && _lastEpoch > 0;
            _lastEpoch = progress.Epoch;
            if (!isNewEpoch && snapshot.Elapsed - _lastLine < _interval)
            {
                return;
            }
            _lastLine = snapshot.Elapsed;
            var parts = new[]
            {
                Metrics(snapshot.Metrics.Where(metric => MetricText.Split(metric.Name) == "train").Select(metric => KeyValuePair.Create(metric.Name, metric.Last))),
                double.IsNaN(progress.LearningRate) ? "" : $"learning-rate {DisplayText.Rate(progress.LearningRate)}",
                double.IsNaN(progress.ExamplesPerSecond) ? "" : $"{MetricText.Number(Math.Round(progress.ExamplesPerSecond))} examples/s",
                progress.MemoryBytes > 0 ? MetricText.Bytes(progress.MemoryBytes) : "",
                $"{DisplayText.Clock(snapshot.Elapsed)} elapsed{(snapshot.Remaining is { } rest ? $", about {DisplayText.Clock(rest)} left" : "")}",
            };
            Write($"{Place(progress.Epoch, progress.Step)}  {string.Join("  ", parts.Where(part => part.Length > 0))}");
        }
    }

    /// <inheritdoc/>
    public void OnEvaluation(DisplayEvaluation evaluation)
    {
        lock (_lock)
        {
            _state.Add(evaluation);
            _lastLine = _state.Snapshot().Elapsed;
            Write($"{Place(evaluation.Epoch, evaluation.Step)}  {Metrics(evaluation.Metrics)}");
        }
    }

    /// <inheritdoc/>
    public void OnMessage(DisplayMessage message)
    {
        lock (_lock)
        {
            foreach (var line in message.Text.ReplaceLineEndings("\n").Split('\n'))
            {
                Write(message.Level switch { DisplayLevel.Warning => "warning: ", DisplayLevel.Error => "error: ", _ => "" } + line);
            }
        }
    }

    /// <inheritdoc/>
    public void OnCompleted(DisplayOutcome outcome)
    {
        lock (_lock)
        {
            _state.Complete(outcome);
            Write($"{outcome.Status.Replace('-', ' ')} after {MetricText.Duration(_state.Snapshot().Elapsed)}{(outcome.Note is { Length: > 0 } note ? $": {note}" : "")}  {Metrics(outcome.Metrics)}".TrimEnd());
            if (outcome.Folder.Length > 0)
            {
                Write(outcome.Folder);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private string Place(int epoch, long step)
    {
        var run = _state.Snapshot().Run;
        return run.Steps > 0
            ? string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}/{run.Epochs}  step {step}/{run.Steps}")
            : string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}/{run.Epochs}  step {step}");
    }

    private string Metrics(IEnumerable<KeyValuePair<string, double>> metrics)
    {
        var best = _state.Snapshot().Metrics.Where(metric => MetricText.Split(metric.Name) == "validation" && metric.Points.Count > 1).ToDictionary(metric => metric.Name, metric => metric.Best);
        return string.Join("  ", metrics.Select(metric => $"{metric.Key} {MetricText.Value(metric.Key, metric.Value)}{(best.TryGetValue(metric.Key, out var value) && value == metric.Value ? " (best)" : "")}"));
    }

    /// <summary>A log that can no longer be written must not end a training: the lines then stop.</summary>
    private void Write(string line)
    {
        if (_isBroken)
        {
            return;
        }
        try
        {
            output.WriteLine(DisplayText.Line(line));
            output.Flush();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            _isBroken = true;
        }
    }
}

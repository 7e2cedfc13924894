using Nabla.Training;

namespace Nabla.Cli;

/// <summary>Shows what the trainer reports. Called on the training thread; the display draws on its own.</summary>
internal sealed class DisplayAdapter(ITrainingDisplay display) : TrainingCallback, IProgress<TrainingProgress>
{
    private long _stepsPerEpoch = 1;
    private volatile bool _hasStarted;
    private IReadOnlyList<string> _warnings = [];
    private DisplayRun? _run;

    /// <summary>Whether the first step is about to be taken, or has been.</summary>
    public bool HasStarted => _hasStarted;

    /// <summary>The data and the model are ready.</summary>
    public void OnStarted(RunStarted run)
    {
        var epochs = run.Recipe.Training.Epochs;
        _stepsPerEpoch = Math.Max(1, run.Steps / epochs);
        _run = new()
        {
            Name = run.Recipe.Name,
            Model = run.Recipe.Model.Family,
            Parameters = run.Parameters,
            Device = run.Device,
            Precision = run.Precision,
            Data = run.Data,
            Examples = run.Examples,
            Epochs = epochs,
            Steps = run.Steps,
            Folder = run.Folder,
        };
        _warnings = run.Warnings;
    }

    /// <inheritdoc/>
    public override void OnTrainingStarted(TrainingStarted started)
    {
        display.OnStarted(_run! with { ResumedAtStep = started.Step });
        _hasStarted = true;
        foreach (var warning in _warnings)
        {
            display.OnMessage(new(DisplayLevel.Warning, warning));
        }
    }

    /// <inheritdoc/>
    public void Report(TrainingProgress value)
    {
        var inEpoch = value.Step - (value.Epoch * _stepsPerEpoch);
        display.OnProgress(new()
        {
            Step = value.Phase == TrainingPhase.Validation ? Math.Min(value.Step, (value.Epoch + 1) * _stepsPerEpoch) : value.Step,
            Epoch = Math.Min(value.Epoch + 1, value.Epochs), // people count from 1
            EpochShare = Math.Clamp((double)inEpoch / _stepsPerEpoch, 0, 1),
            Metrics = value.Loss is { } loss ? new Dictionary<string, double> { ["train/loss"] = loss } : new Dictionary<string, double>(),
            LearningRate = value.LearningRate,
            ExamplesPerSecond = value.ExamplesPerSecond,
            Phase = value.Phase switch { TrainingPhase.Validation => "validating", TrainingPhase.LearningRateSearch => "finding the learning rate", TrainingPhase.Ended => "evaluating", _ => "training" },
            MemoryBytes = Environment.WorkingSet,
        });
    }

    /// <inheritdoc/>
    public override Continuation OnEpochCompleted(EpochCompleted epoch)
    {
        display.OnEvaluation(new("train", epoch.Step, epoch.Epoch + 1, Of("train/", epoch.Metrics)));
        return Continuation.Continue;
    }

    /// <inheritdoc/>
    public override Continuation OnValidationCompleted(ValidationCompleted validation)
    {
        display.OnEvaluation(new("validation", validation.Step, validation.Epoch + 1, Of("validation/", validation.Metrics)));
        return Continuation.Continue;
    }

    /// <summary>The run has ended well, or was stopped.</summary>
    public void OnEnded(RunResult result)
        => display.OnCompleted(new(result.StopReason switch
        {
            StopReason.Interrupted => "interrupted",
            StopReason.EarlyStopping => "stopped-early",
            _ => "completed",
        }, result.Metrics, result.Folder));

    /// <summary>The run has failed; the error itself is printed once the display is gone.</summary>
    public void OnFailed()
    {
        if (_hasStarted)
        {
            display.OnCompleted(new("failed", new Dictionary<string, double>(), ""));
        }
    }

    private static Dictionary<string, double> Of(string prefix, IReadOnlyDictionary<string, double> metrics)
        => metrics.Where(metric => metric.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);
}

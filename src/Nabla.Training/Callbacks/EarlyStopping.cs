using Nabla.Core;

namespace Nabla.Training;

/// <summary>Ends training when <see cref="EarlyStoppingOptions.Monitor"/> has not improved for a number of evaluations (Prechelt, 1998). Its count survives a resume.</summary>
public sealed class EarlyStopping : TrainingCallback
{
    private readonly EarlyStoppingOptions _options;
    private readonly MetricGoal _goal;
    private double? _best;
    private int _withoutImprovement;

    /// <summary>Creates it.</summary>
    /// <param name="options">What is watched, and for how long.</param>
    /// <param name="higherIsBetter">Whether larger values of the watched metric are better.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public EarlyStopping(EarlyStoppingOptions options, bool higherIsBetter)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_options, _goal) = (options, new(options.Monitor, higherIsBetter));
    }

    /// <summary>The best value seen, or null before the first.</summary>
    public double? Best => _best;

    /// <inheritdoc/>
    public override void OnTrainingStarted(TrainingStarted started) => (_best, _withoutImprovement) = (null, 0);

    /// <inheritdoc/>
    public override Continuation OnValidationCompleted(ValidationCompleted validation)
    {
        ArgumentNullException.ThrowIfNull(validation);
        return Watch(validation.Metrics);
    }

    /// <inheritdoc/>
    public override Continuation OnEpochCompleted(EpochCompleted epoch)
    {
        ArgumentNullException.ThrowIfNull(epoch);
        return _options.Monitor.StartsWith("train/", StringComparison.Ordinal) ? Watch(epoch.Metrics) : Continuation.Continue;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> SaveState()
    {
        var state = new Dictionary<string, double> { ["without_improvement"] = _withoutImprovement };
        if (_best is { } best)
        {
            state["best"] = best;
        }
        return state;
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, double> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _best = state.TryGetValue("best", out var best) ? best : null;
        _withoutImprovement = (int)state.GetValueOrDefault("without_improvement");
    }

    private Continuation Watch(IReadOnlyDictionary<string, double> metrics)
    {
        if (!metrics.TryGetValue(_options.Monitor, out var value))
        {
            throw new TrainingException($"early_stopping.monitor is '{_options.Monitor}', which is not measured. {NearestName.Suggest(_options.Monitor, [.. metrics.Keys])}");
        }
        (_best, _withoutImprovement) = _goal.IsBetter(value, _best, _options.MinimumChange) ? (value, 0) : (_best, _withoutImprovement + 1);
        return _withoutImprovement < _options.Patience ? Continuation.Continue : Continuation.Stop;
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Lowers the rate by a factor when a metric has not improved for a number of evaluations; PyTorch's ReduceLROnPlateau. NaN is never an
/// improvement. With a relative threshold and a negative metric the bound lies on the far side of the best value, as in PyTorch: use an
/// absolute threshold there.
/// </summary>
internal sealed class PlateauSchedule(ScheduleOptions options, long warmupSteps) : Schedule
{
    private readonly bool _isMinimized = options.Goal == "min";
    private double _factor = 1;
    private double _best = options.Goal == "min" ? double.PositiveInfinity : double.NegativeInfinity;
    private int _bad, _cooldown;

    /// <summary>Evaluations without improvement.</summary>
    internal int BadEvaluations => _bad;

    /// <summary>Evaluations left in which none counts as bad.</summary>
    internal int CooldownLeft => _cooldown;

    /// <summary>Best value so far.</summary>
    internal double Best => _best;

    /// <inheritdoc/>
    public override double Factor(long step) => FormulaSchedule.Warmup(step, warmupSteps, options.WarmupStart, options.WarmupShape) * _factor;

    /// <inheritdoc/>
    public override void OnEvaluated(double value)
    {
        if (IsBetter(value))
        {
            (_best, _bad) = (value, 0);
        }
        else
        {
            _bad++;
        }
        if (_cooldown > 0)
        {
            (_cooldown, _bad) = (_cooldown - 1, 0);
        }
        if (_bad > options.Patience)
        {
            var lower = Math.Max(_factor * options.Gamma, options.FinalFraction);
            _factor = _factor - lower > options.MinimumDrop ? lower : _factor;
            (_cooldown, _bad) = (options.Cooldown, 0);
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> SaveState()
        => new Dictionary<string, double> { ["factor"] = _factor, ["best"] = _best, ["bad"] = _bad, ["cooldown"] = _cooldown };

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, double> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var missing = new[] { "factor", "best", "bad", "cooldown" }.Where(key => !state.ContainsKey(key)).ToArray();
        if (missing.Length > 0)
        {
            throw new CheckpointException($"The saved state of the plateau schedule lacks {string.Join(", ", missing)}. Resume with the schedule that wrote it.");
        }
        (_factor, _best, _bad, _cooldown) = (state["factor"], state["best"], (int)state["bad"], (int)state["cooldown"]);
    }

    private bool IsBetter(double value) => (_isMinimized, options.ThresholdIsAbsolute) switch
    {
        (true, false) => value < _best * (1 - options.Threshold),
        (true, true) => value < _best - options.Threshold,
        (false, false) => value > _best * (1 + options.Threshold),
        (false, true) => value > _best + options.Threshold,
    };
}

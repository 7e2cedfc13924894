namespace Nabla.Training;

/// <summary>
/// Goes from another schedule's rate to a constant one, at which weights are averaged (Izmailov et al., 2018, arXiv:1803.05407); PyTorch's SWALR.
/// </summary>
/// <param name="inner">The schedule until then.</param>
/// <param name="start">Step at which it is left.</param>
/// <param name="target">The constant rate, as a share of the peak rate.</param>
/// <param name="steps">Steps of the way, at least 0.</param>
/// <param name="isCosine">Whether the way is a half cosine instead of a line.</param>
internal sealed class AveragingSchedule(Schedule inner, long start, double target, long steps, bool isCosine) : Schedule
{
    private double? _left;

    /// <inheritdoc/>
    public override double Factor(long step)
    {
        if (step < start)
        {
            return inner.Factor(step);
        }
        var from = _left ??= inner.Factor(start);
        var progress = steps == 0 ? 1 : Math.Min(1, (double)(step - start) / steps);
        var share = isCosine ? (1 - Math.Cos(Math.PI * progress)) / 2 : progress;
        return from + ((target - from) * share);
    }

    /// <inheritdoc/>
    public override double? Momentum(long step) => inner.Momentum(Math.Min(step, start));

    /// <inheritdoc/>
    public override void OnEvaluated(double value) => inner.OnEvaluated(value);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, double> SaveState()
    {
        var state = inner.SaveState().ToDictionary();
        if (_left is { } left)
        {
            state["left"] = left; // a plateau may have moved on since
        }
        return state;
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, double> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _left = state.TryGetValue("left", out var left) ? left : null;
        var rest = state.Where(entry => entry.Key != "left").ToDictionary();
        if (rest.Count > 0)
        {
            inner.LoadState(rest);
        }
    }
}

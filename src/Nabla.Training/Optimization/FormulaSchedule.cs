namespace Nabla.Training;

/// <summary>A schedule that is a function of the step: linear warm-up, then a formula. It has no state.</summary>
/// <param name="warmupSteps">Steps of warm-up.</param>
/// <param name="warmupStart">Factor at step 0 of the warm-up.</param>
/// <param name="factor">Factor at a step; during the warm-up its value there is what the warm-up is a share of.</param>
/// <param name="momentum">Momentum at a step, or null.</param>
internal sealed class FormulaSchedule(long warmupSteps, double warmupStart, Func<long, double> factor, Func<long, double>? momentum = null) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < warmupSteps ? Warmup(step, warmupSteps, warmupStart) * factor(warmupSteps) : factor(step);
    }

    /// <inheritdoc/>
    public override double? Momentum(long step) => momentum?.Invoke(step);

    /// <summary>Share of the rate during the warm-up, 1 after it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="warmupSteps">Steps of warm-up.</param>
    /// <param name="start">Share at step 0.</param>
    internal static double Warmup(long step, long warmupSteps, double start)
        => step >= warmupSteps ? 1 : start + ((1 - start) * step / warmupSteps);
}

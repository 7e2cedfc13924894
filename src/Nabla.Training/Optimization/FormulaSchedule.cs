namespace Nabla.Training;

/// <summary>A schedule that is a function of the step: linear warm-up, then a formula. It has no state.</summary>
/// <param name="warmupSteps">Steps of warm-up.</param>
/// <param name="warmupStart">Factor at step 0 of the warm-up.</param>
/// <param name="warmupShape">Form of the warm-up.</param>
/// <param name="factor">Factor at a step; during the warm-up its value there is what the warm-up is a share of.</param>
/// <param name="momentum">Momentum at a step, or null.</param>
internal sealed class FormulaSchedule(long warmupSteps, double warmupStart, string warmupShape, Func<long, double> factor, Func<long, double>? momentum = null) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return step < warmupSteps ? Warmup(step, warmupSteps, warmupStart, warmupShape) * factor(warmupSteps) : factor(step);
    }

    /// <inheritdoc/>
    public override double? Momentum(long step) => momentum?.Invoke(step);

    /// <summary>Share of the rate during the warm-up, 1 after it.</summary>
    /// <param name="step">The step.</param>
    /// <param name="warmupSteps">Steps of warm-up.</param>
    /// <param name="start">Share at step 0.</param>
    /// <param name="shape">linear, cosine, 1-sqrt or flat.</param>
    internal static double Warmup(long step, long warmupSteps, double start, string shape)
    {
        if (step >= warmupSteps)
        {
            return 1;
        }
        var progress = (double)step / warmupSteps;
        var rise = shape switch
        {
            "cosine" => (1 - Math.Cos(Math.PI * progress)) / 2,
            "1-sqrt" => 1 - Math.Sqrt(1 - progress),
            "flat" => 0,
            _ => progress,
        };
        return start + ((1 - start) * rise);
    }
}

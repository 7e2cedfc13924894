namespace Nabla.Training;

/// <summary>
/// Schedules that act together; PyTorch's ChainedScheduler. Each moves the rate that it finds: most multiply it, a cosine takes it towards
/// its own last rate, so with a cosine the rate depends on the steps before and is computed from step 0 on. It needs no saved state.
/// </summary>
/// <param name="parts">The schedules; a cosine with its last rate and the step at which its wave begins.</param>
internal sealed class ChainedSchedule((Schedule Schedule, (double Floor, long Start)? Wave)[] parts) : Schedule
{
    private const double Bottom = 1e-15; // share of the wave below which it counts as its lowest point, from which only a sum leads up
    private readonly bool _isProduct = !Array.Exists(parts, part => part.Wave is not null);
    private long _step = -1;
    private double _factor;

    /// <inheritdoc/>
    public override double Factor(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        if (_isProduct)
        {
            return Product(step);
        }
        if (_step < 0 || step < _step)
        {
            (_step, _factor) = (0, Product(0));
        }
        while (_step < step)
        {
            _factor = Next(_factor, ++_step);
        }
        return _factor;
    }

    private double Product(long step) => parts.Aggregate(1.0, (factor, part) => factor * part.Schedule.Factor(step));

    private double Next(double factor, long step)
    {
        foreach (var (schedule, wave) in parts)
        {
            var (now, before) = (schedule.Factor(step), schedule.Factor(step - 1));
            if (wave is var (low, start) && step > start)
            {
                factor = (before - low) / (1 - low) is < Bottom ? factor + now - low : low + ((factor - low) * (now - low) / (before - low));
            }
            else if (before == 0)
            {
                return Product(step); // nothing is left of the steps before: begin anew
            }
            else
            {
                factor *= now / before;
            }
        }
        return factor;
    }
}

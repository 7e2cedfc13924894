namespace Nabla.Training;

/// <summary>Schedules one after the other, each counting its own steps from 0 and giving shares of the same peak rate; PyTorch's SequentialLR.</summary>
/// <param name="parts">First step of each part, and the part; the first begins at 0.</param>
internal sealed class SequentialSchedule((long Start, Schedule Schedule)[] parts) : Schedule
{
    /// <inheritdoc/>
    public override double Factor(long step)
    {
        var (start, schedule) = At(step);
        return schedule.Factor(step - start);
    }

    /// <inheritdoc/>
    public override double? Momentum(long step)
    {
        var (start, schedule) = At(step);
        return schedule.Momentum(step - start);
    }

    private (long Start, Schedule Schedule) At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        return Array.FindLast(parts, part => part.Start <= step);
    }
}

namespace Nabla.Training;

/// <summary>
/// Gives the learning rate of each optimiser step. All but plateau are pure functions of the step, so a resumed run needs no state;
/// what state there is goes through <see cref="SaveState"/> and <see cref="LoadState"/>.
/// </summary>
public abstract class Schedule
{
    /// <summary>Learning rate as a factor of the optimiser's peak rate.</summary>
    /// <param name="step">Number of the step about to be taken, from 0.</param>
    public abstract double Factor(long step);

    /// <summary>Momentum to use (one-cycle, cyclic), or null to leave it.</summary>
    /// <param name="step">Number of the step about to be taken, from 0.</param>
    public virtual double? Momentum(long step) => null;

    /// <summary>Told after each evaluation; plateau reacts.</summary>
    /// <param name="value">The monitored metric.</param>
    public virtual void OnEvaluated(double value)
    {
    }

    /// <summary>Named numbers that <see cref="LoadState"/> takes; empty when there is no state.</summary>
    public virtual IReadOnlyDictionary<string, double> SaveState() => new Dictionary<string, double>();

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    /// <param name="state">Named numbers.</param>
    public virtual void LoadState(IReadOnlyDictionary<string, double> state)
    {
    }
}

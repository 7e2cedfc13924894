namespace Nabla.Training;

/// <summary>
/// Hears what happens in training and may end it. Callbacks run in the order given, on the training thread, between steps; an exception
/// ends training. One object serves one training at a time.
/// </summary>
public abstract class TrainingCallback
{
    /// <summary>Training starts; state is reset here. <see cref="LoadState"/> follows when it is resumed.</summary>
    /// <param name="started">Where it starts.</param>
    public virtual void OnTrainingStarted(TrainingStarted started)
    {
    }

    /// <summary>An optimiser step was taken.</summary>
    /// <param name="step">The step.</param>
    /// <returns>Whether training goes on.</returns>
    public virtual Continuation OnStepCompleted(StepCompleted step) => Continuation.Continue;

    /// <summary>The validation split was evaluated.</summary>
    /// <param name="validation">Its metrics.</param>
    /// <returns>Whether training goes on.</returns>
    public virtual Continuation OnValidationCompleted(ValidationCompleted validation) => Continuation.Continue;

    /// <summary>An epoch ended.</summary>
    /// <param name="epoch">The epoch and the newest metrics.</param>
    /// <returns>Whether training goes on.</returns>
    public virtual Continuation OnEpochCompleted(EpochCompleted epoch) => Continuation.Continue;

    /// <summary>A checkpoint was written.</summary>
    /// <param name="checkpoint">Which one.</param>
    public virtual void OnCheckpointSaved(CheckpointSaved checkpoint)
    {
    }

    /// <summary>Training ended without an error.</summary>
    /// <param name="completed">What came of it.</param>
    public virtual void OnTrainingCompleted(TrainingCompleted completed)
    {
    }

    /// <summary>Named numbers that a checkpoint keeps for <see cref="LoadState"/>; empty when there is no state.</summary>
    public virtual IReadOnlyDictionary<string, double> SaveState() => new Dictionary<string, double>();

    /// <summary>Restores what <see cref="SaveState"/> gave.</summary>
    /// <param name="state">Named numbers.</param>
    public virtual void LoadState(IReadOnlyDictionary<string, double> state)
    {
    }
}

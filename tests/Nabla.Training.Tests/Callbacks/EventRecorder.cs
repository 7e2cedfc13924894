namespace Nabla.Training.Tests;

/// <summary>Writes down what a trainer tells its callbacks, and stops it when asked to.</summary>
internal sealed class EventRecorder : TrainingCallback
{
    public List<string> Seen { get; } = [];

    public long StopAt { get; init; } = -1;

    public Action<long>? OnStep { get; init; }

    public override void OnTrainingStarted(TrainingStarted started) => Seen.Add("started");

    public override Continuation OnStepCompleted(StepCompleted step)
    {
        Seen.Add(step.Loss is null ? $"step {step.Step}" : $"step {step.Step} loss");
        OnStep?.Invoke(step.Step);
        return step.Step == StopAt ? Continuation.Stop : Continuation.Continue;
    }

    public override Continuation OnValidationCompleted(ValidationCompleted validation)
    {
        Seen.Add($"validation {validation.Step}");
        return Continuation.Continue;
    }

    public override Continuation OnEpochCompleted(EpochCompleted epoch)
    {
        Seen.Add($"epoch {epoch.Epoch}");
        return Continuation.Continue;
    }

    public override void OnCheckpointSaved(CheckpointSaved checkpoint) => Seen.Add($"checkpoint {checkpoint.Step}");

    public override void OnTrainingCompleted(TrainingCompleted completed) => Seen.Add("completed");
}

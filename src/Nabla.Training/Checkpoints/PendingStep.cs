namespace Nabla.Training;

/// <summary>
/// What was left to do of a step whose validation was left early to save in time: the weights are those after the step, and the validation, the
/// row of metrics and the end of the epoch are still to come. A resumed run begins with them.
/// </summary>
/// <param name="Row">Metrics of the step that are not in the log yet.</param>
/// <param name="IsEpochEnd">Whether the step was the last of its epoch.</param>
/// <param name="Stopped">Why training ends after the step, if a callback has said so.</param>
public sealed record PendingStep(IReadOnlyDictionary<string, double> Row, bool IsEpochEnd, StopReason? Stopped);

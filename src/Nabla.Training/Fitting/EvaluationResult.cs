namespace Nabla.Training;

/// <summary>What came of an evaluation.</summary>
/// <param name="Split">The split: train, validation or test.</param>
/// <param name="Metrics">Values by <c>split/metric</c>, with <c>split/loss</c>.</param>
/// <param name="Measures">The metrics with all they gathered, such as a confusion matrix.</param>
/// <param name="Examples">Number of examples.</param>
/// <param name="Elapsed">Time it took.</param>
public sealed record EvaluationResult(
    string Split,
    IReadOnlyDictionary<string, double> Metrics,
    IReadOnlyList<Metric> Measures,
    long Examples,
    TimeSpan Elapsed);

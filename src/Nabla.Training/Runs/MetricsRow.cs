namespace Nabla.Training;

/// <summary>One line of <c>metrics.jsonl</c>.</summary>
/// <param name="Step">Optimiser steps taken when it was written.</param>
/// <param name="Epoch">Epoch it belongs to, from 0.</param>
/// <param name="Time">When it was written, UTC.</param>
/// <param name="Seconds">Time spent training until then, over all processes.</param>
/// <param name="Metrics">Values by <c>split/metric</c>.</param>
public sealed record MetricsRow(long Step, int Epoch, DateTimeOffset Time, double Seconds, IReadOnlyDictionary<string, double> Metrics);

namespace Nabla.Training;

/// <summary>What came of a training. The module holds the last weights; the best ones are in <see cref="BestCheckpoint"/>.</summary>
public sealed record TrainingResult
{
    /// <summary>Optimiser steps taken, over all processes of the run.</summary>
    public required long Steps { get; init; }

    /// <summary>Epochs finished.</summary>
    public required int Epochs { get; init; }

    /// <summary>Newest value of each metric by <c>split/metric</c>; <c>train/loss</c> is the mean over the last epoch.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>The best evaluation, or null when the deciding metric was not measured.</summary>
    public BestEvaluation? Best { get; init; }

    /// <summary>Folder of the best checkpoint (the last one when none is known to be best), or null without a run folder.</summary>
    public string? BestCheckpoint { get; init; }

    /// <summary>Why training ended.</summary>
    public required StopReason StopReason { get; init; }

    /// <summary>Time spent training, over all processes of the run.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Share of the steps' time in which they waited for the loader, in [0, 1]; a time, so it is not among the metrics.</summary>
    public double LoaderWaitShare { get; init; }
}

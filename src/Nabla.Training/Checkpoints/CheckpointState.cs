namespace Nabla.Training;

/// <summary>
/// Content of <c>state.json</c>: all of a training run's place that is not a tensor. With the tensors beside it, it continues a run bit for bit.
/// Random numbers need no state: those of a step depend on <see cref="Seed"/> and <see cref="Step"/>, those of a batch on the seed,
/// the epoch and the batch's number.
/// </summary>
public sealed record CheckpointState
{
    /// <summary>Newest format that this version writes and reads; 1 is read too, and lacks only what came later (pending steps, skipped steps, processes).</summary>
    public const int CurrentFormat = 2;

    /// <summary>Format of the checkpoint.</summary>
    public int Format { get; init; } = CurrentFormat;

    /// <summary>Optimiser steps taken.</summary>
    public required long Step { get; init; }

    /// <summary>Epoch that is trained, or is next, from 0.</summary>
    public required int Epoch { get; init; }

    /// <summary>Batches of that epoch already trained on: where the loader goes on.</summary>
    public required long BatchInEpoch { get; init; }

    /// <summary>The run's seed.</summary>
    public required long Seed { get; init; }

    /// <summary>Batches in an epoch, or null when unknown; must be the same on resume.</summary>
    public long? BatchesPerEpoch { get; init; }

    /// <summary>Steps that the run was planned with, or null when unknown.</summary>
    public long? TotalSteps { get; init; }

    /// <summary>Batches whose gradients are summed for a step; must be the same on resume.</summary>
    public int AccumulateBatches { get; init; } = 1;

    /// <summary>Parts in which each batch is computed, because memory was not enough for the whole; 1: it was.</summary>
    public int BatchParts { get; init; } = 1;

    /// <summary>Peak learning rate in use (the finder may have chosen it).</summary>
    public double LearningRate { get; init; }

    /// <summary>Arithmetic in use, such as float32; a resumed run keeps it, whatever is fastest on its machine.</summary>
    public string Precision { get; init; } = "float32";

    /// <summary>State of the schedule.</summary>
    public IReadOnlyDictionary<string, double> Schedule { get; init; } = new Dictionary<string, double>();

    /// <summary>State of the gradient scaler; empty without float16.</summary>
    public IReadOnlyDictionary<string, double> Scaler { get; init; } = new Dictionary<string, double>();

    /// <summary>Updates of the weight average so far; null without one.</summary>
    public long? AverageUpdates { get; init; }

    /// <summary>The newest value of each metric, by <c>split/metric</c>.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>The best evaluation so far, or null.</summary>
    public BestEvaluation? Best { get; init; }

    /// <summary>State of each callback that has one, by number and type.</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Callbacks { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, double>>();

    /// <summary>Sum of the epoch's losses so far, each times its weight.</summary>
    public double EpochLossSum { get; init; }

    /// <summary>Sum of those weights.</summary>
    public long EpochLossWeight { get; init; }

    /// <summary>Sum of the losses since the last logged row, each times its weight.</summary>
    public double WindowLossSum { get; init; }

    /// <summary>Sum of those weights.</summary>
    public long WindowLossWeight { get; init; }

    /// <summary>Examples trained on, over all epochs.</summary>
    public long Examples { get; init; }

    /// <summary>Time spent training, over all processes, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>What was left to do of the last step, or null when it was finished.</summary>
    public PendingStep? Pending { get; init; }

    /// <summary>Steps left out because a loss or gradient was not finite.</summary>
    public long SkippedSteps { get; init; }

    /// <summary>How many of them were the last steps, in a row.</summary>
    public int SkippedInRow { get; init; }

    /// <summary>Processes that trained together; null in format 1, which knew one only.</summary>
    public int? Processes { get; init; }

    /// <summary>Why training ended here for good, or null when it goes on from here.</summary>
    public StopReason? Stopped { get; init; }
}

/// <summary>The best evaluation of a run.</summary>
/// <param name="Metric">The metric that decides, such as <c>validation/loss</c>.</param>
/// <param name="Value">Its value.</param>
/// <param name="Step">Step of the evaluation.</param>
public sealed record BestEvaluation(string Metric, double Value, long Step);

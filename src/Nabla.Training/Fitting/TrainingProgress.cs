namespace Nabla.Training;

/// <summary>What training is busy with.</summary>
public enum TrainingPhase
{
    /// <summary>Steps on the training split.</summary>
    Training,

    /// <summary>Evaluation on the validation split.</summary>
    Validation,

    /// <summary>The short run that looks for a learning rate.</summary>
    LearningRateSearch,

    /// <summary>Training has ended.</summary>
    Ended,
}

/// <summary>How far training is; immutable.</summary>
/// <param name="Phase">What is going on.</param>
/// <param name="Step">Optimiser steps taken (batches, in a validation).</param>
/// <param name="TotalSteps">Of how many, or null when unknown.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Epochs">Of how many.</param>
/// <param name="Loss">Newest known mean training loss, or null before the first.</param>
/// <param name="LearningRate">Learning rate of the newest step.</param>
/// <param name="Elapsed">Time spent training, over all processes.</param>
/// <param name="Remaining">Time that the rest will take at this rate, or null when unknown.</param>
/// <param name="StepsPerSecond">Optimiser steps a second, in this process.</param>
/// <param name="ExamplesPerSecond">Examples or tokens a second, in this process.</param>
/// <param name="Metrics">Newest value of each metric by <c>split/metric</c>.</param>
public sealed record TrainingProgress(
    TrainingPhase Phase,
    long Step,
    long? TotalSteps,
    int Epoch,
    int Epochs,
    double? Loss,
    double LearningRate,
    TimeSpan Elapsed,
    TimeSpan? Remaining,
    double StepsPerSecond,
    double ExamplesPerSecond,
    IReadOnlyDictionary<string, double> Metrics);

namespace Nabla.Training;

/// <summary>Whether training goes on.</summary>
public enum Continuation
{
    /// <summary>It goes on.</summary>
    Continue,

    /// <summary>It saves its place and ends.</summary>
    Stop,
}

/// <summary>Training is about to take its first step, or the first after a resume.</summary>
/// <param name="Step">Optimiser steps taken before; 0 unless resumed.</param>
/// <param name="TotalSteps">Steps planned, or null when unknown.</param>
/// <param name="Epoch">Epoch to train, from 0.</param>
/// <param name="Epochs">Epochs planned.</param>
/// <param name="Parameters">Number of trained parameters (scalars).</param>
/// <param name="Module">The module; a callback reads it and does not change it.</param>
public sealed record TrainingStarted(long Step, long? TotalSteps, int Epoch, int Epochs, long Parameters, Module Module);

/// <summary>An optimiser step was taken.</summary>
/// <param name="Step">Optimiser steps taken, this one included.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Loss">Mean training loss since the last logged step, on logged steps; else null, as reading it waits for the device.</param>
/// <param name="LearningRate">Learning rate of the step.</param>
/// <param name="Examples">Examples or tokens of the step: the weight of its loss.</param>
public sealed record StepCompleted(long Step, int Epoch, double? Loss, double LearningRate, long Examples);

/// <summary>The validation split was evaluated.</summary>
/// <param name="Step">Optimiser steps taken.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Metrics">Values by <c>validation/metric</c>.</param>
public sealed record ValidationCompleted(long Step, int Epoch, IReadOnlyDictionary<string, double> Metrics);

/// <summary>An epoch ended, and its validation if there was one.</summary>
/// <param name="Step">Optimiser steps taken.</param>
/// <param name="Epoch">Epoch, from 0.</param>
/// <param name="Metrics">Newest value of each metric by <c>split/metric</c>; <c>train/loss</c> is the mean over the epoch.</param>
public sealed record EpochCompleted(long Step, int Epoch, IReadOnlyDictionary<string, double> Metrics);

/// <summary>A checkpoint was written.</summary>
/// <param name="Step">Optimiser steps taken.</param>
/// <param name="Folder">The checkpoint's folder.</param>
/// <param name="IsBest">Whether it is the best so far.</param>
public sealed record CheckpointSaved(long Step, string Folder, bool IsBest);

/// <summary>Training ended without an error.</summary>
/// <param name="Result">What came of it.</param>
public sealed record TrainingCompleted(TrainingResult Result);

namespace Nabla.Training;

/// <summary>Why training ended.</summary>
public enum StopReason
{
    /// <summary>All epochs were trained.</summary>
    EpochsCompleted,

    /// <summary>The bound on optimiser steps was reached.</summary>
    MaxStepsReached,

    /// <summary>The watched metric no longer improved.</summary>
    EarlyStopping,

    /// <summary>A callback asked for it.</summary>
    Callback,

    /// <summary>The caller asked for it; the place was saved and training can be resumed.</summary>
    Interrupted,
}

namespace Nabla.Training;

/// <summary>Where and how one training runs, besides its options.</summary>
public sealed record TrainerContext
{
    /// <summary>The run folder that takes metrics and checkpoints; null: nothing is written.</summary>
    public RunFolder? Folder { get; init; }

    /// <summary>Device that trains; the module is moved there. Default: the CPU.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>The run's seed: with the data loader's, it fixes all randomness. Default: 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Hear what happens and may end training, in this order. Default: none.</summary>
    public IReadOnlyList<TrainingCallback> Callbacks { get; init; } = [];

    /// <summary>Hears of progress a few times a second, on the training thread; null: nobody.</summary>
    public IProgress<TrainingProgress>? Progress { get; init; }

    /// <summary>Measures some steps; the caller owns it. Null: nothing is measured. Default: null.</summary>
    public TrainingProfiler? Profiler { get; init; }

    /// <summary>Names of parameters that changed since the checkpoint that is resumed; null: none. Default: null.</summary>
    public ParameterMap? ParameterMap { get; init; }

    /// <summary>Whether to go on from the folder's newest whole checkpoint. Starts anew when there is none. Default: false.</summary>
    public bool Resume { get; init; }
}

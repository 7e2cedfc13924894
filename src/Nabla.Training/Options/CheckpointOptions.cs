using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// When checkpoints are written and which are kept. One is written after each epoch and each improvement in any case, and where training ends
/// or is interrupted. At most one is being written: one that is due waits for the one before, except that one due by time alone is put off.
/// </summary>
public sealed record CheckpointOptions
{
    /// <summary>Write one every so many steps as well; null: not by steps. Default: null.</summary>
    public long? EverySteps { get; init; }

    /// <summary>Write one when so many minutes have passed since the last; null: not by time. Default: 10.</summary>
    public double? EveryMinutes { get; init; } = 10;

    /// <summary>How many of the newest are kept, besides the best. Default: 2.</summary>
    public int KeepLast { get; init; } = 2;

    /// <summary>Keep for good those whose step is a multiple of this; null: none. Default: null.</summary>
    public long? KeepEvery { get; init; }

    /// <summary>The metric that decides which one is best. Default: validation/loss.</summary>
    public string Monitor { get; init; } = "validation/loss";

    /// <summary>What follows when one cannot be written (disk full): stop, or continue with a warning. The earlier ones stay whole either way, and the last one of a run must succeed. Default: stop.</summary>
    public CheckpointErrorPolicy OnError { get; init; } = CheckpointErrorPolicy.Stop;

    /// <summary>Whether a copy in memory is written while training goes on; false saves that memory and waits for the disk. Default: true.</summary>
    public bool Background { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(EverySteps is null or >= 1, $"every_steps must be at least 1; it is {EverySteps}.")
        .Require(EveryMinutes is null or (> 0 and <= 1e6), $"every_minutes must be above 0 and at most 1e6; it is {EveryMinutes}.")
        .Require(KeepLast >= 1, $"keep_last must be at least 1; it is {KeepLast}.")
        .Require(KeepEvery is null or >= 1, $"keep_every must be at least 1; it is {KeepEvery}.")
        .Require(Monitor.Contains('/', StringComparison.Ordinal), $"monitor must be split/metric, such as validation/loss; it is '{Monitor}'.")
        .Require(Enum.IsDefined(OnError), $"on_error must be stop or continue; it is {OnError}.")
        .ThrowIfAny();
}

/// <summary>What follows when a checkpoint cannot be written.</summary>
public enum CheckpointErrorPolicy
{
    /// <summary>Training ends with the error.</summary>
    Stop,

    /// <summary>Training goes on with a warning, and the next checkpoint is tried when it is due.</summary>
    Continue,
}

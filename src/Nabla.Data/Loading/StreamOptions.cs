using Nabla.Core;

namespace Nabla.Data;

/// <summary>How a <see cref="StreamLoader{T}"/> mixes records, groups them into batches and prepares them.</summary>
public sealed record StreamOptions
{
    /// <summary>Records in a batch, at least 1. Default: 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>
    /// Records held in memory to mix the order: each record given is drawn from so many read ahead. 0 or 1 keeps the stream's order;
    /// larger mixes better. Default: 0.
    /// </summary>
    public int ShuffleBuffer { get; init; }

    /// <summary>Whether the last batch is left out when it is not full. Default: false.</summary>
    public bool DropLast { get; init; }

    /// <summary>Fixes order and augmentation. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Batches prepared ahead in the background, 0 to 1024; 0 prepares each when it is asked for. Default: 2.</summary>
    public int PrefetchBatches { get; init; } = 2;

    /// <summary>
    /// Threads that prepare batches, 1 to 256; more than <see cref="PrefetchBatches"/> are of no use. The result is the same for any number.
    /// With more than one, the function that makes a batch and the transforms must bear being called from several threads at once. Default: 1.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>At most so many batches an epoch, at least 1; needed when the stream never ends. Default: none, until the stream ends.</summary>
    public long? MaxBatches { get; init; }

    /// <summary>Records in one epoch when the user knows it, for progress and schedules; at least 1. Default: unknown.</summary>
    public long? KnownExamples { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(BatchSize >= 1, $"BatchSize must be at least 1; it is {BatchSize}.")
        .Require(ShuffleBuffer >= 0, $"ShuffleBuffer must be at least 0; it is {ShuffleBuffer}.")
        .Require(PrefetchBatches is >= 0 and <= 1024, $"PrefetchBatches must be from 0 to 1024; it is {PrefetchBatches}.")
        .Require(Workers is >= 1 and <= 256, $"Workers must be from 1 to 256; it is {Workers}.")
        .Require(MaxBatches is null or >= 1, $"MaxBatches must be at least 1; it is {MaxBatches}.")
        .Require(KnownExamples is null or >= 1, $"KnownExamples must be at least 1; it is {KnownExamples}.")
        .ThrowIfAny();
}

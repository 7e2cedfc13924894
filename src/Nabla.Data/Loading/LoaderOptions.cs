using Nabla.Core;

namespace Nabla.Data;

/// <summary>How a <see cref="DataLoader"/> orders examples, groups them into batches and prepares them.</summary>
public sealed record LoaderOptions
{
    /// <summary>Examples in a batch, at least 1. Default: 32.</summary>
    public int BatchSize { get; init; } = 32;

    /// <summary>Whether each epoch has a new random order under <see cref="Seed"/>. Default: false, the source's order.</summary>
    public bool Shuffle { get; init; }

    /// <summary>Whether the last batch is left out when it is not full. Default: false.</summary>
    public bool DropLast { get; init; }

    /// <summary>Fixes order and augmentation. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Batches prepared ahead in the background, 0 to 1024; 0 prepares each when it is asked for. Default: 2.</summary>
    public int PrefetchBatches { get; init; } = 2;

    /// <summary>Whether batches are made in page-locked memory, for asynchronous copies to a CUDA device, which must be there. Default: false.</summary>
    public bool PinMemory { get; init; }

    /// <summary>
    /// Threads that prepare batches, 1 to 256; more than <see cref="PrefetchBatches"/> are of no use. The result is the same for any number.
    /// With more than one, the source and the transforms must bear being called from several threads at once. Default: 1.
    /// </summary>
    public int Workers { get; init; } = 1;

    /// <summary>
    /// Whether batches hold examples of like lengths, so that less padding is computed: the order is cut into pools of
    /// <see cref="BucketBatches"/> batches, each pool is sorted by length, and the batches are shuffled again when
    /// <see cref="Shuffle"/> is on. Default: false.
    /// </summary>
    public bool BucketByLength { get; init; }

    /// <summary>Batches in one pool of <see cref="BucketByLength"/>, at least 1: more means less padding and less randomness. Default: 50.</summary>
    public int BucketBatches { get; init; } = 50;

    /// <summary>
    /// Whether each example of an epoch is drawn with replacement, all classes equally likely, so that rare classes count as
    /// much as frequent ones. Needs <see cref="Shuffle"/> and a source that knows classes. Default: false.
    /// </summary>
    public bool BalanceClasses { get; init; }

    /// <summary>
    /// Examples in one epoch, at least 1, chosen anew in each epoch when <see cref="Shuffle"/> is on; no more than the source has,
    /// unless <see cref="BalanceClasses"/> draws with replacement. Default: none, as many as the source has.
    /// </summary>
    public long? ExamplesPerEpoch { get; init; }

    /// <summary>
    /// At most so many batches an epoch, at least 1, and the same examples in every epoch (those of epoch 0), as for trying
    /// whether a model can overfit a few batches. Default: none, all batches.
    /// </summary>
    public long? MaxBatches { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(BatchSize >= 1, $"BatchSize must be at least 1; it is {BatchSize}.")
        .Require(PrefetchBatches is >= 0 and <= 1024, $"PrefetchBatches must be from 0 to 1024; it is {PrefetchBatches}.")
        .Require(Workers is >= 1 and <= 256, $"Workers must be from 1 to 256; it is {Workers}.")
        .Require(BucketBatches >= 1, $"BucketBatches must be at least 1; it is {BucketBatches}.")
        .Require(!BalanceClasses || Shuffle, "BalanceClasses draws at random and needs Shuffle to be true.")
        .Require(ExamplesPerEpoch is null or >= 1, $"ExamplesPerEpoch must be at least 1; it is {ExamplesPerEpoch}.")
        .Require(MaxBatches is null or >= 1, $"MaxBatches must be at least 1; it is {MaxBatches}.")
        .ThrowIfAny();
}

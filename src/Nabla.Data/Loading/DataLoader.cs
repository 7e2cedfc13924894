using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Reads a source in batches, prepared ahead on background threads. Order and augmentation depend on the seed, the epoch and
/// the batch's number only, so <c>(epoch, batch)</c> is all that must be kept to go on later, and the number of workers changes
/// nothing but the time. Does not own its source.
/// Several epochs may be read at once when the source allows it.
/// </summary>
public sealed class DataLoader : IBatchLoader
{
    private readonly IBatchSource _source;
    private readonly IReadOnlyList<IBatchTransform> _transforms;
    private readonly Lazy<ClassBalance?> _balance;

    /// <summary>Creates the loader.</summary>
    /// <param name="source">The examples; the caller keeps owning it and disposes it after the last epoch.</param>
    /// <param name="options">Order, batch size and preparation.</param>
    /// <param name="transforms">Changes to each batch, in order, such as augmentation.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    /// <exception cref="DataException">The source is empty, or too small for one full batch under <see cref="LoaderOptions.DropLast"/>.</exception>
    public DataLoader(IBatchSource source, LoaderOptions options, IReadOnlyList<IBatchTransform>? transforms = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        if (source.Count == 0)
        {
            throw new DataException("DataLoader: expected at least one example, got an empty source.");
        }
        (BatchesPerEpoch, ExamplesPerEpoch) = EpochPlan.Size(source.Count, options);
        if (BatchesPerEpoch == 0)
        {
            throw new DataException($"DataLoader: an epoch of {Math.Min(source.Count, options.ExamplesPerEpoch ?? long.MaxValue)} examples does not fill one batch of {options.BatchSize}, and DropLast leaves the rest out. Use a smaller BatchSize, or set DropLast to false.");
        }
        (_source, Options, _transforms) = (source, options, transforms ?? []);
        _balance = new(() => options.BalanceClasses ? new(source) : null);
    }

    /// <summary>The options in use.</summary>
    public LoaderOptions Options { get; }

    /// <inheritdoc cref="IBatchLoader.BatchesPerEpoch"/>
    public long BatchesPerEpoch { get; }

    /// <inheritdoc cref="IBatchLoader.ExamplesPerEpoch"/>
    public long ExamplesPerEpoch { get; }

    /// <inheritdoc/>
    long? IBatchLoader.BatchesPerEpoch => BatchesPerEpoch;

    /// <inheritdoc/>
    long? IBatchLoader.ExamplesPerEpoch => ExamplesPerEpoch;

    /// <summary>Numbers of the examples of a batch, without reading them.</summary>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="batch">Number of the batch in [0, <see cref="BatchesPerEpoch"/>).</param>
    public long[] IndicesOf(int epoch, long batch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(batch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(batch, BatchesPerEpoch);
        return EpochPlan.Create(_source, Options, _balance.Value, epoch)[batch].ToArray();
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, or the first batch lies beyond the epoch's end.</exception>
    public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstBatch, BatchesPerEpoch);
        return Prefetcher.Run(stop => Plan(epoch, firstBatch, stop), work => Prepare(epoch, work.Plan, work.Number), Options.PrefetchBatches, Options.Workers, cancellationToken);
    }

    private IEnumerable<(EpochPlan Plan, long Number)> Plan(int epoch, long firstBatch, CancellationToken stop)
    {
        var plan = EpochPlan.Create(_source, Options, _balance.Value, epoch);
        for (var number = firstBatch; number < plan.Count; number++)
        {
            stop.ThrowIfCancellationRequested();
            yield return (plan, number);
        }
    }

    private Batch Prepare(int epoch, EpochPlan plan, long number)
    {
        var batch = BatchPreparation.Prepare(() => _source.Read(plan[number]), _transforms, Options.Seed, epoch, number);
        if (Options.PinMemory)
        {
            batch.Pin();
        }
        return batch;
    }
}

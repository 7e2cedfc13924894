using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Batches from a stream of the user's own records, for data larger than memory: at most one shuffle buffer and the batches
/// prepared ahead are held. The same seed and stream give the same batches. To start at a later batch, the records before it are
/// read again but not made into batches.
/// </summary>
/// <typeparam name="T">Type of a record.</typeparam>
public sealed class StreamLoader<T> : IBatchLoader
{
    private readonly Func<int, CancellationToken, IEnumerable<T>> _open;
    private readonly Func<IReadOnlyList<T>, Batch> _collate;
    private readonly StreamOptions _options;

    /// <summary>Creates a loader over an ordinary sequence.</summary>
    /// <param name="open">Opens the stream of an epoch; the enumerator is disposed when the epoch ends or is left. Called from the background thread.</param>
    /// <param name="collate">Makes a batch of some records. Called from the background thread.</param>
    /// <param name="options">Mixing, batch size and preparation.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public StreamLoader(Func<int, IEnumerable<T>> open, Func<IReadOnlyList<T>, Batch> collate, StreamOptions options)
        : this((epoch, _) => open(epoch), collate, options)
        => ArgumentNullException.ThrowIfNull(open);

    /// <summary>Creates a loader over an asynchronous sequence, whose cancellation follows the reader's. The sequence should look at
    /// its token while it waits: leaving the loop waits for it.</summary>
    /// <param name="open">Opens the stream of an epoch; the enumerator is disposed when the epoch ends or is left. Called from the background thread.</param>
    /// <param name="collate">Makes a batch of some records. Called from the background thread.</param>
    /// <param name="options">Mixing, batch size and preparation.</param>
    /// <exception cref="OptionsException">An option is out of its range.</exception>
    public StreamLoader(Func<int, IAsyncEnumerable<T>> open, Func<IReadOnlyList<T>, Batch> collate, StreamOptions options)
        : this((epoch, stop) => open(epoch).ToBlockingEnumerable(stop), collate, options)
        => ArgumentNullException.ThrowIfNull(open);

    private StreamLoader(Func<int, CancellationToken, IEnumerable<T>> open, Func<IReadOnlyList<T>, Batch> collate, StreamOptions options)
    {
        ArgumentNullException.ThrowIfNull(collate);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        (_open, _collate, _options) = (open, collate, options);
    }

    /// <summary>Changes to each batch, in order, such as augmentation. Default: none.</summary>
    public IReadOnlyList<IBatchTransform> Transforms { get; init; } = [];

    /// <inheritdoc/>
    public long? BatchesPerEpoch => _options.KnownExamples is not { } examples ? null
        : Math.Min(_options.MaxBatches ?? long.MaxValue, (examples + (_options.DropLast ? 0 : _options.BatchSize - 1)) / _options.BatchSize);

    /// <inheritdoc/>
    public long? ExamplesPerEpoch => BatchesPerEpoch is { } batches ? Math.Min(_options.KnownExamples!.Value, batches * _options.BatchSize) : null;

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The epoch or the first batch is negative.</exception>
    public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfNegative(firstBatch);
        return Prefetcher.Run(stop => Gather(epoch, firstBatch, stop), work => Prepare(epoch, work.Records, work.Number), _options.PrefetchBatches, _options.Workers, cancellationToken);
    }

    private IEnumerable<(T[] Records, long Number)> Gather(int epoch, long firstBatch, CancellationToken stop)
    {
        var number = 0L;
        foreach (var records in Mix(epoch, stop).Chunk(_options.BatchSize))
        {
            stop.ThrowIfCancellationRequested();
            if (_options.DropLast && records.Length < _options.BatchSize)
            {
                yield break;
            }
            if (number >= firstBatch)
            {
                yield return (records, number);
            }
            if (++number == _options.MaxBatches)
            {
                yield break; // before the next record is asked for: a stream without end may wait for it
            }
        }
    }

    private Batch Prepare(int epoch, T[] records, long number)
        => BatchPreparation.Prepare(() => _collate(records), Transforms, _options.Seed, epoch, number);

    /// <summary>Draws each record at random from a buffer that the stream keeps full.</summary>
    private IEnumerable<T> Mix(int epoch, CancellationToken stop)
    {
        var records = _open(epoch, stop);
        if (_options.ShuffleBuffer <= 1)
        {
            foreach (var record in records)
            {
                stop.ThrowIfCancellationRequested();
                yield return record;
            }
            yield break;
        }
        var random = RandomStream.At(_options.Seed, RandomPurpose.Order, epoch);
        var buffer = new List<T>();
        foreach (var record in records)
        {
            stop.ThrowIfCancellationRequested();
            if (buffer.Count < _options.ShuffleBuffer)
            {
                buffer.Add(record);
                continue;
            }
            var place = (int)random.NextLong(buffer.Count);
            var drawn = buffer[place];
            buffer[place] = record;
            yield return drawn;
        }
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(buffer));
        foreach (var record in buffer)
        {
            yield return record;
        }
    }
}

using Nabla.Data;

namespace Nabla.Training;

/// <summary>The first batches of a loader only; of one epoch, where the same ones are wanted over and over.</summary>
internal sealed class LimitedLoader(IBatchLoader inner, long batches, bool alwaysFirstEpoch) : IBatchLoader
{
    /// <inheritdoc/>
    public long? BatchesPerEpoch => inner.BatchesPerEpoch is { } all ? Math.Min(all, batches) : null;

    /// <inheritdoc/>
    public long? ExamplesPerEpoch => inner.BatchesPerEpoch is { } all && all <= batches ? inner.ExamplesPerEpoch : null;

    /// <inheritdoc/>
    public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
    {
        var left = (BatchesPerEpoch ?? batches) - firstBatch;
        if (left <= 0)
        {
            yield break;
        }
        foreach (var batch in inner.ReadEpoch(alwaysFirstEpoch ? 0 : epoch, firstBatch, cancellationToken))
        {
            yield return batch;
            if (--left == 0)
            {
                yield break;
            }
        }
    }
}

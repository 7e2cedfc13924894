using Nabla.Data;

namespace Nabla;

/// <summary>The first few batches of each epoch of another loader.</summary>
internal sealed class FirstBatches(IBatchLoader inner, long most) : IBatchLoader
{
    public long? BatchesPerEpoch => inner.BatchesPerEpoch is { } batches ? Math.Min(batches, most) : null;

    public long? ExamplesPerEpoch => null;

    public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
        => inner.ReadEpoch(epoch, firstBatch, cancellationToken).Take((int)Math.Max(0, most - firstBatch));
}

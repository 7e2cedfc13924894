namespace Nabla.Data;

/// <summary>
/// Batches, epoch by epoch. The order and the augmentation of a batch depend on the seed, the epoch and the batch's number only,
/// so reading may start at any batch: <c>(epoch, batch)</c> is the whole position of a loader.
/// </summary>
public interface IBatchLoader
{
    /// <summary>Batches in one epoch, or null when the source is a stream of unknown length.</summary>
    long? BatchesPerEpoch { get; }

    /// <summary>Examples in one epoch, or null when unknown.</summary>
    long? ExamplesPerEpoch { get; }

    /// <summary>Reads the batches of an epoch, prepared ahead in the background. The receiver disposes each batch. Leaving the loop stops the background work.</summary>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="firstBatch">Number of the first batch to give; those before it are skipped without being read.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default);
}

using Nabla.Core;

namespace Nabla.Data;

/// <summary>What loaders do with a batch between its source and its consumer.</summary>
internal static class BatchPreparation
{
    /// <summary>Makes a batch and applies the transforms, each with random numbers of this seed, epoch, batch and transform.</summary>
    public static Batch Prepare(Func<Batch> read, IReadOnlyList<IBatchTransform> transforms, long seed, int epoch, long batchNumber)
    {
        using var scope = NewDisposeScope(); // frees what the source and the transforms leave behind; a batch is outside of scopes
        var batch = read();
        try
        {
            for (var i = 0; i < transforms.Count; i++)
            {
                transforms[i].Apply(batch, RandomStream.At(seed, RandomPurpose.Augmentation, epoch, batchNumber, i));
            }
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }
}

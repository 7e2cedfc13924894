using Nabla.Data;

namespace Nabla.Training.Tests;

/// <summary>Points of three noisy clusters, shuffled each epoch.</summary>
internal sealed class TinyData : IDisposable
{
    private readonly TensorSource _source;

    public TinyData(int examples = 44, int batchSize = 8, bool shuffle = true, long seed = 3, bool dropLast = false)
    {
        using var scope = NewDisposeScope();
        var random = RandomStream.At(seed, RandomPurpose.Generation);
        var inputs = new float[examples * 4];
        var targets = new long[examples];
        for (var i = 0; i < examples; i++)
        {
            targets[i] = random.NextLong(3);
            for (var j = 0; j < 4; j++)
            {
                inputs[(i * 4) + j] = (float)((j == targets[i] ? 1.0 : 0.0) + (0.7 * random.NextNormal()));
            }
        }
        _source = new(new Dictionary<string, Tensor> { [Batch.Inputs] = tensor(inputs, [examples, 4]), [Batch.Targets] = tensor(targets) });
        Loader = new(_source, new() { BatchSize = batchSize, Shuffle = shuffle, Seed = 5, DropLast = dropLast, PrefetchBatches = 1 });
    }

    public DataLoader Loader { get; }

    public void Dispose() => _source.Dispose();
}

using Nabla.Data;

namespace Nabla.Training.Tests;

/// <summary>Batches from a list, the same in every epoch; their number may be kept from the trainer, as by a stream.</summary>
internal sealed class ListLoader(IReadOnlyList<Func<Batch>> batches) : IBatchLoader
{
    public bool IsLengthKnown { get; init; } = true;

    public long? BatchesPerEpoch => IsLengthKnown && batches.Count > 0 ? batches.Count : null;

    public long? ExamplesPerEpoch => null;

    public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
        => batches.Skip((int)firstBatch).Select(create => create());

    /// <summary>Points of one class for a <see cref="TinyTask"/>.</summary>
    public static Batch Points(int count, float value = 0.5f, long label = 1)
    {
        using var scope = NewDisposeScope();
        return new(new Dictionary<string, Tensor> { [Batch.Inputs] = full([count, 4], value) + arange(count).unsqueeze(1), [Batch.Targets] = full([count], label, ScalarType.Int64) });
    }
}

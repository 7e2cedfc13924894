using Nabla.Core;

namespace Nabla.Data.Tests;

/// <summary>A source whose example i is the number i, which remembers every tensor it gave away and what was asked.</summary>
internal sealed class CountingSource(long count, Func<long, int>? length = null, Func<long, long?>? classOf = null) : IBatchSource
{
    private readonly List<Tensor> _given = [];
    private readonly List<long[]> _reads = [];

    public long Count => count;

    public int? FailAtRead { get; init; }

    /// <summary>The example that cannot be read.</summary>
    public long? FailAt { get; init; }

    public IReadOnlyList<long[]> Reads
    {
        get
        {
            lock (_given)
            {
                return [.. _reads];
            }
        }
    }

    /// <summary>Tensors given away that nobody has disposed.</summary>
    public int Alive
    {
        get
        {
            lock (_given)
            {
                return _given.Count(tensor => !tensor.IsInvalid);
            }
        }
    }

    public Batch Read(ReadOnlySpan<long> indices)
    {
        lock (_given)
        {
            if (FailAtRead == _reads.Count || (FailAt is { } damaged && indices.Contains(damaged)))
            {
                throw new DataException("This example is damaged.");
            }
            _reads.Add(indices.ToArray());
            var tensor = torch.tensor(indices.ToArray(), int64);
            _given.Add(tensor);
            return new([KeyValuePair.Create(Batch.Inputs, tensor)]);
        }
    }

    public int LengthOf(long index) => length?.Invoke(index) ?? 1;

    public long? ClassOf(long index) => classOf?.Invoke(index);
}

/// <summary>A source whose reads take unequal times, so that workers overtake each other.</summary>
internal sealed class UnevenSource(long count) : IBatchSource
{
    public long Count => count;

    public Batch Read(ReadOnlySpan<long> indices)
    {
        Thread.SpinWait((int)(RandomStream.At(1, RandomPurpose.Other, indices[0]).NextLong(20_000)));
        return new([KeyValuePair.Create(Batch.Inputs, torch.tensor(indices.ToArray(), int64))]);
    }
}

/// <summary>A source in which each read waits until as many threads read as the barrier wants.</summary>
internal sealed class MeetingSource(Barrier barrier, long count) : IBatchSource
{
    public long Count => count;

    public Batch Read(ReadOnlySpan<long> indices)
    {
        Assert.True(barrier.SignalAndWait(TimeSpan.FromSeconds(30)));
        return new([KeyValuePair.Create(Batch.Inputs, torch.tensor(indices.ToArray(), int64))]);
    }
}

/// <summary>Adds random numbers to the inputs, so that a wrong random stream shows.</summary>
internal sealed class NoiseTransform : IBatchTransform
{
    public string Name => "noise";

    public void Apply(Batch batch, RandomStream random)
    {
        var values = batch[Batch.Inputs].data<long>().ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            values[i] += random.NextLong(1000) * 1000;
        }
        batch.Replace(Batch.Inputs, torch.tensor(values, int64));
    }
}

internal static class Reading
{
    public static long[][] Drain(IEnumerable<Batch> batches) => [.. batches.Select(batch =>
    {
        using (batch)
        {
            return batch[Batch.Inputs].data<long>().ToArray();
        }
    })];
}

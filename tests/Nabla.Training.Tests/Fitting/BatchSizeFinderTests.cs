using CsCheck;
using Nabla.Data;

namespace Nabla.Training.Tests;

#pragma warning disable CA2201 // What says that memory is gone.
public sealed class BatchSizeFinderTests
{
    private static readonly TrainingOptions Options = new() { Precision = "float32" };

    [Fact]
    public void Find_WithALimit_ComesWithinAnEighthOfTheLargestAndNeverGoesFarBeyond() => Gen.Select(Gen.Long[0, 2000], Gen.Long[1, 50], Gen.Long[5000, 60_000]).Sample(
        (constant, each, available) =>
        {
            using var task = new TinyTask();
            using var source = Source();
            var meter = new Limit(available, batch => constant + (each * batch));
            var before = Weights.Sum(task.Module);
            // The optimiser's share is taken off: 3 x 4 bytes for each of the 83 trained values.
            var budget = (long)(0.8 * available) - (3 * 4 * 83);
            var largest = Math.Min((budget - constant) / each, 300);

            var size = new BatchSizeFinder(Options, null, meter).Find(Seen(task, meter), source, new(), 300);

            Assert.InRange(size, Math.Max(1, largest * 7 / 8), largest);
            Assert.All(meter.Tried, tried => Assert.True(tried <= Math.Max(2, largest), $"tried {tried} where {largest} fit"));
            Assert.Equal(before, Weights.Sum(task.Module)); // running statistics too
        },
        iter: 25,
        threads: 1);

    [Fact]
    public void Find_WhereOnlyErrorsTell_FindsTheLargestThatDoesNotFail()
    {
        using var source = Source();
        var meter = new Limit(null, _ => 0);
        using var task = new TinyTask { Change = (_, output) => output.Weight > 50 ? throw new OutOfMemoryException("CUDA out of memory") : output };

        Assert.InRange(new BatchSizeFinder(Options, null, meter).Find(task, source, new(), 300), 44, 50);
    }

    [Fact]
    public void Find_NotEvenOne_SaysSo()
    {
        using var source = Source();
        using var task = new TinyTask(batchNorm: false) { Change = (_, _) => throw new OutOfMemoryException("CUDA out of memory") };

        Assert.Contains("not even one example", Assert.Throws<MemoryException>(() => new BatchSizeFinder(Options, null, new Limit(null, _ => 0)).Find(task, source, new(), 300)).Message, StringComparison.Ordinal);
    }

    private static TinyTask Seen(TinyTask task, Limit meter)
    {
        meter.LastBatch = () => task.LastBatch;
        return task;
    }

    private static TensorSource Source() => new(new Dictionary<string, Tensor> { [Batch.Inputs] = randn(300, 4), [Batch.Targets] = zeros(300, ScalarType.Int64) });

    private sealed class Limit(long? available, Func<long, long> growth) : IMemoryMeter
    {
        public List<long> Tried { get; } = [];

        public Func<long>? LastBatch { get; set; }

        public long? Available => available;

        public long PeakGrowth(Action action)
        {
            action();
            Tried.Add(LastBatch?.Invoke() ?? 0);
            return growth(Tried[^1]);
        }
    }
}

using System.Runtime.CompilerServices;
using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class StreamLoaderTests
{
    private static Batch Collate(IReadOnlyList<int> records)
        => new([KeyValuePair.Create(Batch.Inputs, torch.tensor(records.Select(record => (long)record).ToArray(), int64))]);

    private static IEnumerable<int> Numbers(int count) => Enumerable.Range(0, count);

    [Fact]
    public void ReadEpoch_FromAnyBatch_EqualsTheTailOfTheWholeEpoch()
        => (from size in Gen.Int[1, 7]
            from buffer in Gen.Int[0, 30]
            from drop in Gen.Bool
            from prefetch in Gen.Int[0, 3]
            from count in Gen.Int[0, 60]
            from first in Gen.Int[0, 9]
            from epoch in Gen.Int[0, 3]
            select (new StreamOptions { BatchSize = size, ShuffleBuffer = buffer, DropLast = drop, PrefetchBatches = prefetch, Seed = count, KnownExamples = Math.Max(1, count) }, count, first, epoch)).Sample(
        test =>
        {
            var (options, count, first, epoch) = test;
            var loader = new StreamLoader<int>(_ => Numbers(count), Collate, options) { Transforms = [new NoiseTransform()] };
            var plain = new StreamLoader<int>(_ => Numbers(count), Collate, options with { PrefetchBatches = 0 }) { Transforms = [new NoiseTransform()] };
            var whole = Reading.Drain(plain.ReadEpoch(epoch));
            Assert.Equal(whole.Skip(first), Reading.Drain(loader.ReadEpoch(epoch, first)));
            if (count > 0)
            {
                Assert.Equal(loader.BatchesPerEpoch, whole.Length);
                Assert.Equal(loader.ExamplesPerEpoch, whole.Sum(batch => batch.Length));
            }
            var kept = drop(options) ? count - (count % options.BatchSize) : count;
            Assert.Equal(kept, whole.Sum(batch => batch.Length));
            Assert.Equal(kept, whole.SelectMany(batch => batch.Select(value => value % 1000)).Distinct().Count());

            static bool drop(StreamOptions options) => options.DropLast;
        }, iter: 200);

    [Fact]
    public void ShuffleBuffer_MixesUnderSeedAndEpoch()
    {
        long[] Order(long seed, int epoch) => Reading.Drain(new StreamLoader<int>(_ => Numbers(500), Collate, new() { BatchSize = 500, ShuffleBuffer = 100, Seed = seed }).ReadEpoch(epoch))[0];
        var order = Order(1, 0);
        Assert.Equal(order, Order(1, 0));
        Assert.NotEqual(order, Order(2, 0));
        Assert.NotEqual(order, Order(1, 1));
        Assert.True(order.Select((value, place) => Math.Abs(value - place)).Average() > 30);
    }

    [Fact]
    public void ReadEpoch_EndlessAsyncStream_StopsAtMaxBatchesAndDisposesIt()
    {
        var closed = false;
        async IAsyncEnumerable<int> Endless(int epoch, [EnumeratorCancellation] CancellationToken stop = default)
        {
            try
            {
                for (var i = epoch * 100; ; i++)
                {
                    await Task.Yield();
                    stop.ThrowIfCancellationRequested();
                    yield return i;
                }
            }
            finally
            {
                closed = true;
            }
        }
        var loader = new StreamLoader<int>(epoch => Endless(epoch), Collate, new() { BatchSize = 2, MaxBatches = 3 });
        Assert.Null(loader.BatchesPerEpoch);
        Assert.Equal([[200, 201], [202, 203], [204, 205]], Reading.Drain(loader.ReadEpoch(2)));
        Assert.True(closed);
    }

    [Fact]
    public void ReadEpoch_StreamThatWaits_EndsWhenCancelled()
    {
        static async IAsyncEnumerable<int> Silent([EnumeratorCancellation] CancellationToken stop = default)
        {
            await Task.Delay(Timeout.Infinite, stop);
            yield return 0;
        }
        var loader = new StreamLoader<int>(_ => Silent(), Collate, new());
        using var cancellation = new CancellationTokenSource(50);
        Assert.ThrowsAny<OperationCanceledException>(() => Reading.Drain(loader.ReadEpoch(0, 0, cancellation.Token)));
    }

    [Fact]
    public void ReadEpoch_StreamFails_ThrowsItsException()
    {
        static IEnumerable<int> Failing()
        {
            yield return 1;
            throw new DataException("line 2 is damaged");
        }
        var loader = new StreamLoader<int>(_ => Failing(), Collate, new() { BatchSize = 1 });
        Assert.Equal("line 2 is damaged", Assert.Throws<DataException>(() => Reading.Drain(loader.ReadEpoch(0))).Message);
    }

    [Fact]
    public void RecordSource_ReadsThroughTheUsersFunction()
    {
        var source = new RecordSource<int>([10, 20, 30], Collate, record => record / 10, record => record % 20);
        Assert.Equal((3L, 2, 10L), (source.Count, source.LengthOf(1), source.ClassOf(2)));
        using var batch = source.Read([2, 0]);
        Assert.Equal([30, 10], batch[Batch.Inputs].data<long>().ToArray());
    }
}

using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class DataLoaderTests
{
    private static readonly Gen<LoaderOptions> AnyOptions =
        from batchSize in Gen.Int[1, 9]
        from shuffle in Gen.Bool
        from dropLast in Gen.Bool
        from seed in Gen.Long
        from prefetch in Gen.Int[0, 4]
        from bucket in Gen.Bool
        from pool in Gen.Int[1, 4]
        from balance in Gen.Bool
        select new LoaderOptions
        {
            BatchSize = batchSize,
            Shuffle = shuffle,
            DropLast = dropLast,
            Seed = seed,
            PrefetchBatches = prefetch,
            BucketByLength = bucket,
            BucketBatches = pool,
            BalanceClasses = balance && shuffle,
        };

    [Fact]
    public void ReadEpoch_FromAnyBatch_EqualsTheTailOfTheWholeEpoch()
        => Gen.Select(AnyOptions, Gen.Int[9, 60], Gen.Int[0, 5], Gen.Int[0, 60]).Sample((options, count, epoch, start) =>
        {
            var source = new CountingSource(count, i => (int)(i % 7), i => i % 3);
            var loader = new DataLoader(source, options, [new NoiseTransform(), new NoiseTransform()]);
            var synchronous = new DataLoader(source, options with { PrefetchBatches = 0 }, [new NoiseTransform(), new NoiseTransform()]);
            var first = start % (loader.BatchesPerEpoch + 1);

            var whole = Reading.Drain(synchronous.ReadEpoch(epoch));
            var tail = Reading.Drain(loader.ReadEpoch(epoch, first));

            Assert.Equal(loader.BatchesPerEpoch, whole.Length);
            Assert.Equal(loader.ExamplesPerEpoch, whole.Sum(batch => batch.Length));
            Assert.Equal(whole[(int)first..], tail);
            Assert.Equal(0, source.Alive);
        }, iter: 200);

    [Fact]
    public void ReadEpoch_WithoutReplacement_GivesEveryExampleOnce()
        => Gen.Select(AnyOptions, Gen.Int[1, 60]).Sample((options, count) =>
        {
            var loader = new DataLoader(new CountingSource(count, i => (int)(i % 5)), options with { BalanceClasses = false, DropLast = false });
            Assert.Equal(Enumerable.Range(0, count).Select(i => (long)i), Reading.Drain(loader.ReadEpoch(1)).SelectMany(batch => batch).Order());
        }, iter: 100);

    [Fact]
    public void ReadEpoch_Shuffled_HasAnotherOrderInEveryEpochAndTheSameAgain()
    {
        var loader = new DataLoader(new CountingSource(50), new() { BatchSize = 50, Shuffle = true, Seed = 3 });
        var first = Reading.Drain(loader.ReadEpoch(0))[0];
        Assert.NotEqual(first, Reading.Drain(loader.ReadEpoch(1))[0]);
        Assert.Equal(first, Reading.Drain(loader.ReadEpoch(0))[0]);
        Assert.Equal(first, loader.IndicesOf(0, 0));
    }

    [Fact]
    public void ReadEpoch_FromBatch_DoesNotReadTheOnesBefore()
    {
        var source = new CountingSource(40);
        var loader = new DataLoader(source, new() { BatchSize = 4 });
        Assert.Equal(3, Reading.Drain(loader.ReadEpoch(0, firstBatch: 7)).Length);
        Assert.Equal(3, source.Reads.Count);
        Assert.Equal([28, 29, 30, 31], source.Reads[0]);
    }

    [Fact]
    public void ReadEpoch_AnyNumberOfWorkers_GivesTheSameBatchesFromAnyPlace() => Gen.Select(Gen.Int[1, 60], Gen.Int[1, 7], Gen.Int[2, 6], Gen.Int[1, 9], Gen.Int[0, 3]).Sample(
        (count, size, workers, ahead, epoch) =>
        {
            LoaderOptions options = new() { BatchSize = size, Shuffle = true, Seed = 4 };
            var alone = Reading.Drain(new DataLoader(new UnevenSource(count), options with { PrefetchBatches = 0 }, [new NoiseTransform()]).ReadEpoch(epoch));
            var first = alone.Length / 2;
            var together = Reading.Drain(new DataLoader(new UnevenSource(count), options with { PrefetchBatches = ahead, Workers = workers }, [new NoiseTransform()]).ReadEpoch(epoch, first));
            Assert.Equal(alone[first..], together);
        },
        iter: 40,
        threads: 1);

    [Fact]
    public void ReadEpoch_SeveralWorkers_WorkAtTheSameTimeWithinTheBound()
    {
        using var meeting = new Barrier(3);
        var loader = new DataLoader(new MeetingSource(meeting, 60), new() { BatchSize = 1, PrefetchBatches = 3, Workers = 3 });
        Assert.Equal(60, Reading.Drain(loader.ReadEpoch(0)).Length); // each read waits for two others: one thread alone would never end
    }

    [Fact]
    public void ReadEpoch_SeveralWorkersAndAnError_GivesWhatCameBeforeAndFreesTheRest()
    {
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var source = new CountingSource(40) { FailAt = 11 };
            var loader = new DataLoader(source, new() { BatchSize = 1, PrefetchBatches = 6, Workers = 4 });
            var taken = new List<long>();
            Assert.Throws<DataException>(() =>
            {
                foreach (var batch in loader.ReadEpoch(0))
                {
                    taken.Add(batch[Batch.Inputs].item<long>());
                    batch.Dispose();
                }
            });
            Assert.Equal(Enumerable.Range(0, 11).Select(i => (long)i), taken);
            Assert.Equal(0, source.Alive);
        }
    }

    [Fact]
    public void ReadEpoch_SeveralWorkersLeftEarly_DisposesWhatWasPrepared()
    {
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var source = new CountingSource(1000);
            var loader = new DataLoader(source, new() { BatchSize = 2, PrefetchBatches = 8, Workers = 4 });
            foreach (var batch in loader.ReadEpoch(0).Take(repeat))
            {
                batch.Dispose();
            }
            Assert.Equal(0, source.Alive);
        }
    }

    [Fact]
    public void ReadEpoch_SlowConsumer_StaysWithinTheBound()
    {
        var source = new CountingSource(100);
        var loader = new DataLoader(source, new() { BatchSize = 1, PrefetchBatches = 3 });
        using var batches = loader.ReadEpoch(0).GetEnumerator();
        batches.MoveNext();
        SpinWait.SpinUntil(() => source.Reads.Count >= 4, TimeSpan.FromSeconds(10));
        Thread.Sleep(30);
        Assert.Equal(4, source.Reads.Count); // one taken and three ahead
        batches.Current.Dispose();
    }

    [Fact]
    public void ReadEpoch_LeftEarly_StopsTheThreadAndDisposesWhatWasPrepared()
    {
        var source = new CountingSource(1000);
        var loader = new DataLoader(source, new() { BatchSize = 2, PrefetchBatches = 4 });
        foreach (var batch in loader.ReadEpoch(0))
        {
            batch.Dispose();
            break;
        }
        var reads = source.Reads.Count;
        Assert.Equal(0, source.Alive);
        Thread.Sleep(30);
        Assert.Equal(reads, source.Reads.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void ReadEpoch_SourceFails_ThrowsItsExceptionAfterTheBatchesBefore(int prefetch)
    {
        var source = new CountingSource(10) { FailAtRead = 2 };
        var loader = new DataLoader(source, new() { BatchSize = 2, PrefetchBatches = prefetch });
        var taken = 0;
        var error = Assert.Throws<DataException>(() =>
        {
            foreach (var batch in loader.ReadEpoch(0))
            {
                batch.Dispose();
                taken++;
            }
        });
        Assert.Equal("This example is damaged.", error.Message);
        Assert.Equal(2, taken);
        Assert.Equal(0, source.Alive);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void ReadEpoch_Cancelled_ThrowsAndDisposesWhatWasPrepared(int prefetch)
    {
        var source = new CountingSource(1000);
        var loader = new DataLoader(source, new() { BatchSize = 2, PrefetchBatches = prefetch });
        using var cancellation = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() =>
        {
            foreach (var batch in loader.ReadEpoch(0, 0, cancellation.Token))
            {
                batch.Dispose();
                cancellation.Cancel();
            }
        });
        Assert.Equal(0, source.Alive);
    }

    [Fact]
    public void ReadEpoch_TransformFails_DisposesTheBatch()
    {
        var source = new CountingSource(4);
        var loader = new DataLoader(source, new() { BatchSize = 2, PrefetchBatches = 1 }, [new FailingTransform()]);
        Assert.Throws<InvalidOperationException>(() => Reading.Drain(loader.ReadEpoch(0)));
        Assert.Equal(0, source.Alive);
    }

    [Fact]
    public void ReadEpoch_InsideADisposeScope_GivesBatchesThatOutliveIt()
    {
        var loader = new DataLoader(new CountingSource(2), new() { BatchSize = 2, PrefetchBatches = 0 });
        Batch batch;
        using (NewDisposeScope())
        {
            batch = loader.ReadEpoch(0).First();
        }
        Assert.False(batch[Batch.Inputs].IsInvalid);
        batch.Dispose();
    }

    [Fact]
    public void BucketByLength_PutsLikeLengthsTogether()
    {
        var random = RandomStream.At(1, RandomPurpose.Other);
        var lengths = Enumerable.Range(0, 4000).Select(_ => random.NextInt(1, 100)).ToArray();
        var source = new CountingSource(lengths.Length, i => lengths[i]);
        long Padding(bool bucket) => Reading.Drain(new DataLoader(source, new() { BatchSize = 20, Shuffle = true, BucketByLength = bucket }).ReadEpoch(0))
            .Sum(batch => batch.Sum(i => batch.Max(j => lengths[j]) - lengths[i]));

        Assert.True(Padding(true) * 20 < Padding(false), "Bucketing must remove nearly all padding.");
        var longest = Reading.Drain(new DataLoader(source, new() { BatchSize = 20, Shuffle = true, BucketByLength = true }).ReadEpoch(0))
            .Take(50).Select(batch => batch.Max(i => lengths[i])).ToArray();
        Assert.NotEqual(longest.Order(), longest); // batches come in random order
    }

    [Fact]
    public void BalanceClasses_DrawsEveryClassEquallyOften()
    {
        var source = new CountingSource(10_000, classOf: i => i < 9_000 ? 0 : i < 9_990 ? 1 : 7);
        var loader = new DataLoader(source, new() { BatchSize = 100, Shuffle = true, BalanceClasses = true });
        var drawn = Reading.Drain(loader.ReadEpoch(0)).SelectMany(batch => batch).GroupBy(i => source.ClassOf(i)).ToDictionary(g => g.Key!.Value, g => g.Count());
        // 10,000 draws of probability 1/3: standard deviation 47
        Assert.All(drawn.Values, count => Assert.InRange(count, 3333 - 235, 3333 + 235));
        Assert.Equal([0, 1, 7], drawn.Keys.Order());
    }

    [Fact]
    public void BalanceClasses_WithoutClasses_SaysSo()
    {
        var loader = new DataLoader(new CountingSource(10), new() { Shuffle = true, BalanceClasses = true });
        Assert.Contains("example 0 has no class", Assert.Throws<DataException>(() => Reading.Drain(loader.ReadEpoch(0))).Message);
    }

    [Fact]
    public void MaxBatches_GivesTheSameExamplesInEveryEpoch()
    {
        var loader = new DataLoader(new CountingSource(100), new() { BatchSize = 8, Shuffle = true, MaxBatches = 2 });
        Assert.Equal(2, loader.BatchesPerEpoch);
        Assert.Equal(16, loader.ExamplesPerEpoch);
        Assert.Equal(Reading.Drain(loader.ReadEpoch(0)), Reading.Drain(loader.ReadEpoch(5)));
    }

    [Fact]
    public void ExamplesPerEpoch_ChoosesAnewInEveryEpoch()
    {
        var loader = new DataLoader(new CountingSource(1000), new() { BatchSize = 10, Shuffle = true, ExamplesPerEpoch = 25 });
        var (first, second) = (Reading.Drain(loader.ReadEpoch(0)), Reading.Drain(loader.ReadEpoch(1)));
        Assert.Equal([10, 10, 5], first.Select(batch => batch.Length));
        Assert.Equal(25, loader.ExamplesPerEpoch);
        Assert.True(first.SelectMany(batch => batch).Intersect(second.SelectMany(batch => batch)).Count() < 10);
    }

    [Fact]
    public void Constructor_UnusableInput_SaysWhatIsWrong()
    {
        Assert.Contains("empty source", Assert.Throws<DataException>(() => new DataLoader(new CountingSource(0), new())).Message);
        Assert.Contains("5 examples does not fill one batch of 8", Assert.Throws<DataException>(() => new DataLoader(new CountingSource(5), new() { BatchSize = 8, DropLast = true })).Message);
        var error = Assert.Throws<OptionsException>(() => new DataLoader(new CountingSource(5), new() { BatchSize = 0, PrefetchBatches = -1, BalanceClasses = true, MaxBatches = 0 }));
        Assert.Equal(4, error.Problems.Count);
        var loader = new DataLoader(new CountingSource(5), new());
        Assert.Throws<ArgumentOutOfRangeException>(() => loader.ReadEpoch(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => loader.ReadEpoch(0, 2));
    }

    private sealed class FailingTransform : IBatchTransform
    {
        public string Name => "failing";

        public void Apply(Batch batch, RandomStream random) => throw new InvalidOperationException("no");
    }
}

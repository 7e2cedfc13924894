using Nabla.Core;

namespace Nabla.Data;

/// <summary>Which examples each batch of an epoch holds: a function of the source, the options and the epoch's number only.</summary>
internal sealed class EpochPlan
{
    /// <summary>Above this many examples (half a gigabyte of numbers) an epoch that takes some of them is drawn without listing all.</summary>
    internal const long MostPermuted = 1L << 26;

    private readonly long[] _order;
    private readonly (int Start, int Size)[] _batches;

    private EpochPlan(long[] order, (int, int)[] batches) => (_order, _batches) = (order, batches);

    /// <summary>Number of batches.</summary>
    public int Count => _batches.Length;

    /// <summary>Numbers of the examples of a batch.</summary>
    public ReadOnlySpan<long> this[long batch] => _order.AsSpan(_batches[batch].Start, _batches[batch].Size);

    /// <summary>Plans an epoch.</summary>
    /// <param name="source">The examples.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="balance">Examples by class when <see cref="LoaderOptions.BalanceClasses"/> is on.</param>
    /// <param name="epoch">Number of the epoch.</param>
    public static EpochPlan Create(IBatchSource source, LoaderOptions options, ClassBalance? balance, int epoch)
    {
        var random = RandomStream.At(options.Seed, RandomPurpose.Order, options.MaxBatches is null ? epoch : 0);
        var examples = Examples(source.Count, options);
        var order = balance is not null ? balance.Draw(examples, random)
            : options.Shuffle && source.Count > MostPermuted && examples < source.Count ? Draw(source.Count, examples, random)
            : options.Shuffle ? random.Permutation(source.Count)
            : Ascending(examples);
        order = order.Length > examples ? order[..(int)examples] : order;
        if (options.DropLast)
        {
            order = order[..(order.Length - (order.Length % options.BatchSize))];
        }
        if (options.BucketByLength)
        {
            SortPools(source, order, (long)options.BatchSize * options.BucketBatches);
        }
        var batches = Cut(order.Length, options.BatchSize);
        if (options is { BucketByLength: true, Shuffle: true })
        {
            random.Shuffle(batches.AsSpan(0, order.Length / options.BatchSize)); // the short batch stays last
        }
        return new(order, options.MaxBatches is { } max && max < batches.Length ? batches[..(int)max] : batches);
    }

    /// <summary>Number of batches and of examples in any epoch.</summary>
    public static (long Batches, long Examples) Size(long count, LoaderOptions options)
    {
        var examples = Examples(count, options);
        examples -= options.DropLast ? examples % options.BatchSize : 0;
        var batches = (examples + options.BatchSize - 1) / options.BatchSize;
        return options.MaxBatches is { } max && max < batches ? (max, Math.Min(examples, max * options.BatchSize)) : (batches, examples);
    }

    private static long Examples(long count, LoaderOptions options) => options.ExamplesPerEpoch is { } wanted
        ? options.BalanceClasses ? wanted : Math.Min(wanted, count)
        : count;

    /// <summary>Some of very many examples, each at most once, without a list of all.</summary>
    private static long[] Draw(long count, long examples, RandomStream random)
    {
        var order = new IndexPermutation(count, random);
        var drawn = new long[examples];
        for (var place = 0L; place < examples; place++)
        {
            drawn[place] = order[place];
        }
        return drawn;
    }

    private static long[] Ascending(long count)
    {
        var order = new long[count];
        for (var i = 0L; i < count; i++)
        {
            order[i] = i;
        }
        return order;
    }

    /// <summary>Sorts each pool by length; equal lengths keep their (random) order, so that the result does not depend on the sort.</summary>
    private static void SortPools(IBatchSource source, long[] order, long poolSize)
    {
        for (var start = 0L; start < order.Length; start += poolSize)
        {
            var pool = order.AsSpan((int)start, (int)Math.Min(poolSize, order.Length - start));
            var keys = new (int Length, int Place)[pool.Length];
            for (var i = 0; i < keys.Length; i++)
            {
                keys[i] = (source.LengthOf(pool[i]), i);
            }
            MemoryExtensions.Sort(keys.AsSpan(), pool);
        }
    }

    private static (int, int)[] Cut(int count, int size)
    {
        var batches = new (int, int)[(count + size - 1) / size];
        for (var i = 0; i < batches.Length; i++)
        {
            batches[i] = (i * size, Math.Min(size, count - (i * size)));
        }
        return batches;
    }
}

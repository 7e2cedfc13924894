namespace Nabla.Core;

/// <summary>
/// A stream of random numbers fixed by a seed and a path of integers, so that any point of a training run can be recomputed
/// without having run what came before: <c>RandomStream.At(seed, RandomPurpose.Augment, epoch, batch)</c>.
/// Generator: SplitMix64 (Steele, Lea and Flood, 2014). Not thread-safe; make one where it is used.
/// </summary>
public sealed class RandomStream
{
    private const ulong Golden = 0x9E3779B97F4A7C15; // 2^64 / golden ratio, the increment of SplitMix64
    private const ulong PurposeOffset = unchecked(2 * Golden), PathOffset = unchecked(3 * Golden);
    private ulong _state;
    private double? _spareNormal;

    private RandomStream(ulong state) => _state = state;

    /// <summary>The stream of <paramref name="seed"/> and <paramref name="purpose"/> at a place such as (epoch, batch).</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the numbers are for; different purposes never share numbers.</param>
    /// <param name="path">Where in the run, such as epoch and batch.</param>
    public static RandomStream At(long seed, RandomPurpose purpose, params ReadOnlySpan<long> path)
        => new(Hash(seed, purpose, path));

    /// <summary>A 63-bit seed for a native generator at the same place, never negative.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">What the numbers are for.</param>
    /// <param name="path">Where in the run.</param>
    public static long SeedAt(long seed, RandomPurpose purpose, params ReadOnlySpan<long> path)
        => (long)(Hash(seed, purpose, path) >> 1);

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        _state += Golden;
        return Mix(_state);
    }

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Uniform in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Bound above, not reached.</param>
    public double NextDouble(double low, double high) => low + ((high - low) * NextDouble());

    /// <summary>Uniform integer in [0, <paramref name="bound"/>), without bias (Lemire, 2019).</summary>
    /// <param name="bound">Bound above, at least 1.</param>
    public long NextLong(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        var high = Math.BigMul(NextBits(), (ulong)bound, out var low);
        if (low < (ulong)bound)
        {
            var threshold = (0UL - (ulong)bound) % (ulong)bound;
            while (low < threshold)
            {
                high = Math.BigMul(NextBits(), (ulong)bound, out low);
            }
        }
        return (long)high;
    }

    /// <summary>Uniform integer in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    /// <param name="low">Smallest value.</param>
    /// <param name="high">Bound above, not reached.</param>
    public int NextInt(int low, int high) => low + (int)NextLong((long)high - low);

    /// <summary>True with the given chance.</summary>
    /// <param name="chance">Probability in [0, 1].</param>
    public bool NextBool(double chance = 0.5) => NextDouble() < chance;

    /// <summary>Standard normal (Marsaglia's polar method).</summary>
    public double NextNormal()
    {
        if (_spareNormal is { } spare)
        {
            _spareNormal = null;
            return spare;
        }
        while (true)
        {
            var (u, v) = ((2 * NextDouble()) - 1, (2 * NextDouble()) - 1);
            var s = (u * u) + (v * v);
            if (s is > 0 and < 1)
            {
                var factor = Math.Sqrt(-2 * Math.Log(s) / s);
                _spareNormal = v * factor;
                return u * factor;
            }
        }
    }

    /// <summary>Gamma with scale 1 (Marsaglia and Tsang, 2000).</summary>
    /// <param name="shape">Shape, above 0.</param>
    public double NextGamma(double shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape);
        if (shape < 1)
        {
            return NextGamma(shape + 1) * Math.Pow(1 - NextDouble(), 1 / shape);
        }
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = NextNormal();
            var v = 1 + (c * x);
            if (v <= 0)
            {
                continue;
            }
            v = v * v * v;
            if (Math.Log(1 - NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return d * v;
            }
        }
    }

    /// <summary>Beta in [0, 1], as the share of two gammas.</summary>
    /// <param name="alpha">First shape, above 0.</param>
    /// <param name="beta">Second shape, above 0.</param>
    public double NextBeta(double alpha, double beta)
    {
        var (x, y) = (NextGamma(alpha), NextGamma(beta));
        return x / (x + y);
    }

    /// <summary>Shuffles in place (Fisher-Yates).</summary>
    /// <typeparam name="T">Type of the values.</typeparam>
    /// <param name="values">The values.</param>
    public void Shuffle<T>(Span<T> values)
    {
        for (var i = values.Length - 1; i > 0; i--)
        {
            var j = (int)NextLong(i + 1L);
            (values[i], values[j]) = (values[j], values[i]);
        }
    }

    /// <summary>A random order of 0 .. <paramref name="count"/> - 1.</summary>
    /// <param name="count">How many.</param>
    public long[] Permutation(long count)
    {
        var order = new long[count];
        for (var i = 0L; i < count; i++)
        {
            order[i] = i;
        }
        Shuffle(order.AsSpan());
        return order;
    }

    private static ulong Hash(long seed, RandomPurpose purpose, ReadOnlySpan<long> path)
    {
        var h = Mix((ulong)seed + Golden);
        h = Mix(h ^ Mix((ulong)purpose + PurposeOffset));
        foreach (var part in path)
        {
            h = Mix((h + Golden) ^ Mix((ulong)part + PathOffset));
        }
        return h;
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>What a <see cref="RandomStream"/> is for; each purpose has numbers of its own.</summary>
public enum RandomPurpose
{
    /// <summary>Anything else.</summary>
    Other = 0,

    /// <summary>Initial weights.</summary>
    Initialization = 1,

    /// <summary>Order of the examples in an epoch.</summary>
    Order = 2,

    /// <summary>Augmentation of a batch.</summary>
    Augmentation = 3,

    /// <summary>Dropout and other randomness inside a training step.</summary>
    Step = 4,

    /// <summary>Splits of a data set.</summary>
    Split = 5,

    /// <summary>Generated data.</summary>
    Generation = 6,

    /// <summary>Sampling from a model.</summary>
    Sampling = 7,
}

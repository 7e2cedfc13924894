namespace Nabla.Core;

/// <summary>
/// A random order of <c>0 ... count - 1</c> that takes no memory: place i is computed by a Feistel network over the smallest square of a
/// power of two that holds the count, walked until it falls inside (Black and Rogaway, 2002, "Ciphers with Arbitrary Finite Domains").
/// Immutable, thread-safe.
/// </summary>
public sealed class IndexPermutation
{
    private const int Rounds = 6;
    private readonly long _count;
    private readonly int _halfBits;
    private readonly ulong[] _keys;

    /// <summary>Draws an order.</summary>
    /// <param name="count">How many numbers, at least 1.</param>
    /// <param name="random">Gives the keys.</param>
    public IndexPermutation(long count, RandomStream random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentNullException.ThrowIfNull(random);
        _count = count;
        var bits = 64 - System.Numerics.BitOperations.LeadingZeroCount((ulong)(count - 1) | 1);
        _halfBits = (bits + 1) / 2;
        _keys = [.. Enumerable.Range(0, Rounds).Select(_ => random.NextBits())];
    }

    /// <summary>The number at a place.</summary>
    /// <param name="place">In [0, count).</param>
    public long this[long place]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(place);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(place, _count);
            var value = (ulong)place;
            do
            {
                value = Encrypt(value);
            }
            while (value >= (ulong)_count); // at most four times as many values as numbers: four turns on average
            return (long)value;
        }
    }

    private ulong Encrypt(ulong value)
    {
        var mask = (1UL << _halfBits) - 1;
        var (left, right) = (value >> _halfBits, value & mask);
        foreach (var key in _keys)
        {
            (left, right) = (right, left ^ (Mix(right ^ key) & mask));
        }
        return (left << _halfBits) | right;
    }

    /// <summary>The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).</summary>
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}

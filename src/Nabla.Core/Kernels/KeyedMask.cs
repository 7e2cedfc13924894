using System.Numerics;
using System.Runtime.CompilerServices;

namespace Nabla.Core.Kernels;

/// <summary>
/// Which entries dropout keeps: entry number n is kept where a hash of n under the key is at least the threshold. A pure function of the key and
/// the number, so the backward pass makes it again instead of reading it. Hash: lowbias32 of Wellons (2018), keyed twice.
/// </summary>
internal readonly struct KeyedMask
{
    private readonly uint _low, _high, _threshold;

    /// <summary>A mask.</summary>
    /// <param name="key">The key.</param>
    /// <param name="probability">Chance of dropping, in [0, 1).</param>
    public KeyedMask(ulong key, double probability)
    {
        (_low, _high) = ((uint)key, (uint)(key >> 32));
        _threshold = (uint)Math.Min(uint.MaxValue, Math.Round(probability * (1UL << 32)));
        Keep = (float)(1 / (1 - probability));
    }

    /// <summary>Factor of the entries that stay, <c>1 / (1 - probability)</c>.</summary>
    public float Keep { get; }

    /// <summary>All bits set where an entry is kept, for the entries from a number on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<uint> Kept(uint from) => Vector.GreaterThanOrEqual(Hash(Vector<uint>.Indices + new Vector<uint>(from)), new Vector<uint>(_threshold));

    /// <summary>Whether one entry is kept.</summary>
    public bool IsKept(uint number) => Hash(number) >= _threshold;

    /// <summary>A key from torch's CPU generator, so that <c>torch.manual_seed</c> fixes the masks.</summary>
    public static ulong DrawKey()
    {
        using var drawn = torch.randint(long.MaxValue, [1], dtype: ScalarType.Int64);
        return (ulong)drawn.item<long>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector<uint> Hash(Vector<uint> x)
    {
        x ^= new Vector<uint>(_low);
        x ^= x >>> 16;
        x *= new Vector<uint>(0x7feb352dU);
        x ^= x >>> 15;
        x *= new Vector<uint>(0x846ca68bU);
        x ^= x >>> 16;
        x += new Vector<uint>(_high);
        x *= new Vector<uint>(0x9E3779B1U); // 2^32 / golden ratio: the second half of the key reaches the high bits
        return x ^ (x >>> 15);
    }

    private uint Hash(uint x)
    {
        x ^= _low;
        x ^= x >> 16;
        x *= 0x7feb352dU;
        x ^= x >> 15;
        x *= 0x846ca68bU;
        x ^= x >> 16;
        x += _high;
        x *= 0x9E3779B1U;
        return x ^ (x >> 15);
    }
}

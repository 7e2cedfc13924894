using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// Rows of tensors in float32 or bfloat16 (as ushort) and what is done to them in vectors: a kernel loads a row into a float buffer that stays
/// in the first-level cache, computes there, and stores it. bfloat16 is rounded to the nearest, ties to even, as libtorch does.
/// </summary>
internal static class VectorRow
{
    /// <summary>Length of a buffer for a row: whole vectors.</summary>
    public static int Padded(int length) => (length + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;

    /// <summary>A row as floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<T>(ReadOnlySpan<T> source, Span<float> target) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            MemoryMarshal.Cast<T, float>(source).CopyTo(target);
        }
        else
        {
            Widen(MemoryMarshal.Cast<T, ushort>(source), target);
        }
    }

    /// <summary>Floats as a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<T>(ReadOnlySpan<float> source, Span<T> target) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
        {
            source.CopyTo(MemoryMarshal.Cast<T, float>(target));
        }
        else
        {
            Narrow(source, MemoryMarshal.Cast<T, ushort>(target));
        }
    }

    private static void Widen(ReadOnlySpan<ushort> source, Span<float> target)
    {
        var (width, i) = (Vector<ushort>.Count, 0);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target[..source.Length]);
        if (Avx512F.IsSupported)
        {
            for (; i <= source.Length - 16; i += 16)
            {
                (Avx512F.ConvertToVector512UInt32(Vector256.LoadUnsafe(ref from, (nuint)i)) << 16).AsSingle().StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i <= source.Length - width; i += width)
        {
            Vector.Widen(Vector.LoadUnsafe(ref from, (nuint)i), out var low, out var high);
            Vector.AsVectorSingle(low << 16).StoreUnsafe(ref to, (nuint)i);
            Vector.AsVectorSingle(high << 16).StoreUnsafe(ref to, (nuint)(i + (width / 2)));
        }
        for (; i < source.Length; i++)
        {
            target[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
        }
    }

    private static void Narrow(ReadOnlySpan<float> source, Span<ushort> target)
    {
        var (width, i) = (Vector<ushort>.Count, 0);
        ref var from = ref MemoryMarshal.GetReference(source);
        ref var to = ref MemoryMarshal.GetReference(target[..source.Length]);
        if (Avx512F.IsSupported)
        {
            for (; i <= source.Length - 16; i += 16)
            {
                var bits = Vector512.LoadUnsafe(ref from, (nuint)i).AsUInt32();
                bits += Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One);
                Avx512F.ConvertToVector256UInt16(bits >>> 16).StoreUnsafe(ref to, (nuint)i);
            }
        }
        for (; i <= source.Length - width; i += width)
        {
            var low = Round(Vector.AsVectorUInt32(Vector.LoadUnsafe(ref from, (nuint)i)));
            var high = Round(Vector.AsVectorUInt32(Vector.LoadUnsafe(ref from, (nuint)(i + (width / 2)))));
            Vector.Narrow(low, high).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < source.Length; i++)
        {
            target[i] = ToBFloat16(source[i]);
        }
    }

    /// <summary>The nearest bfloat16.</summary>
    public static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16); // round to nearest even
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Round(Vector<uint> bits) => (bits + new Vector<uint>(0x7FFF) + ((bits >>> 16) & Vector<uint>.One)) >>> 16;

    /// <summary>
    /// e to the power x: 2^n times a polynomial of degree 6 on half a power of two (Cephes, Moshier 1989, expf.c); within 2 units in the last place.
    /// Below -87.3 it gives 0, above 88 it stays at e^88. NaN stays NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        var isTiny = Vector.LessThan(x, new Vector<float>(-87.3f));
        var clamped = Vector.ConditionalSelect(isTiny, new Vector<float>(-87.3f), x); // a comparison is false for NaN, so it passes
        clamped = Vector.ConditionalSelect(Vector.GreaterThan(clamped, new Vector<float>(88f)), new Vector<float>(88f), clamped);
        // Adding 1.5 * 2^23 rounds to the nearest whole number; its low bits are then n.
        var magic = new Vector<float>(12582912f);
        var shifted = Vector.FusedMultiplyAdd(clamped, new Vector<float>(1.44269504f), magic);
        var n = shifted - magic;
        var r = Vector.FusedMultiplyAdd(n, new Vector<float>(-0.693359375f), clamped);
        r = Vector.FusedMultiplyAdd(n, new Vector<float>(2.12194440e-4f), r);
        var p = Vector.FusedMultiplyAdd(new Vector<float>(1.9875691500e-4f), r, new Vector<float>(1.3981999507e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(8.3334519073e-3f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(4.1665795894e-2f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(1.6666665459e-1f));
        p = Vector.FusedMultiplyAdd(p, r, new Vector<float>(5.0000001201e-1f));
        p = Vector.FusedMultiplyAdd(p, r * r, r) + Vector<float>.One;
        var power = Vector.AsVectorInt32(shifted) << 23; // n in the exponent; the magic number's own bits fall out at the top
        var result = Vector.AsVectorSingle(Vector.AsVectorInt32(p) + power);
        return Vector.ConditionalSelect(isTiny, Vector<float>.Zero, result);
    }

    /// <summary>Adds a row to another.</summary>
    public static void Accumulate(ReadOnlySpan<float> values, Span<float> total)
    {
        var i = 0;
        ref var from = ref MemoryMarshal.GetReference(values);
        ref var to = ref MemoryMarshal.GetReference(total[..values.Length]);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (Vector.LoadUnsafe(ref from, (nuint)i) + Vector.LoadUnsafe(ref to, (nuint)i)).StoreUnsafe(ref to, (nuint)i);
        }
        for (; i < values.Length; i++)
        {
            total[i] += values[i];
        }
    }

    /// <summary>Sum of a buffer of whole vectors, in an order that does not depend on anything but its length.</summary>
    public static float Sum(ReadOnlySpan<float> values)
    {
        var sum = Vector<float>.Zero;
        ref var start = ref MemoryMarshal.GetReference(values);
        for (var i = 0; i < values.Length; i += Vector<float>.Count)
        {
            sum += Vector.LoadUnsafe(ref start, (nuint)i);
        }
        return Vector.Sum(sum);
    }
}

using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>
/// <c>dropout(activation(x + bias))</c> in one pass. Beside the result it stores the slope of each entry, dropout included, so that the backward
/// pass is one product; x itself is not kept.
/// </summary>
internal static class ActivationKernel
{
    /// <summary>Forward. <paramref name="bias"/> and <paramref name="slope"/> may be 0: none.</summary>
    public static void Forward<T>(FusedActivation activation, nint x, nint bias, nint result, nint slope, KeyedMask? mask, long rows, int width)
        where T : unmanaged
        => KernelLoop.Run(rows, width, (_, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(3 * padded);
            buffer.AsSpan().Clear();
            var row = buffer.AsSpan(0, padded);
            var slopes = buffer.AsSpan(padded, padded);
            var b = buffer.AsSpan(2 * padded, padded);
            if (bias != 0)
            {
                TensorMemory.Row<float>(bias, 0, width).CopyTo(b);
            }
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                VectorRow.Load<T>(TensorMemory.Row<T>(x, start, width), row);
                Activate(activation, row, slopes, b, mask, (uint)start);
                VectorRow.Store<T>(row[..width], TensorMemory.Row<T>(result, start, width));
                if (slope != 0)
                {
                    VectorRow.Store<T>(slopes[..width], TensorMemory.Row<T>(slope, start, width));
                }
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>Backward: gradient of x over that of the result, and of the bias for each chunk of rows (0: no bias; see <see cref="ColumnSums"/>).</summary>
    public static void Backward<T>(nint gradient, nint slope, nint xGradient, nint biasSums, long rows, int width)
        where T : unmanaged
        => KernelLoop.Run(rows, width, (chunk, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(3 * padded);
            buffer.AsSpan().Clear();
            var row = buffer.AsSpan(0, padded);
            var slopes = buffer.AsSpan(padded, padded);
            var total = buffer.AsSpan(2 * padded, padded);
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                VectorRow.Load<T>(TensorMemory.Row<T>(gradient, start, width), row);
                VectorRow.Load<T>(TensorMemory.Row<T>(slope, start, width), slopes);
                Multiply(row, slopes, total);
                VectorRow.Store<T>(row[..width], TensorMemory.Row<T>(xGradient, start, width));
            }
            ColumnSums.Put(biasSums, chunk, total[..width]);
            ArrayPool<float>.Shared.Return(buffer);
        });

    private static void Activate(FusedActivation activation, Span<float> row, Span<float> slopes, ReadOnlySpan<float> bias, KeyedMask? mask, uint number)
    {
        switch (activation)
        {
            case FusedActivation.Relu:
                Activate<Relu>(row, slopes, bias, mask, number);
                break;
            case FusedActivation.Silu:
                Activate<Silu>(row, slopes, bias, mask, number);
                break;
            case FusedActivation.GeluTanh:
                Activate<GeluTanh>(row, slopes, bias, mask, number);
                break;
            default:
                Activate<Gelu>(row, slopes, bias, mask, number);
                break;
        }
    }

    private static void Activate<TActivation>(Span<float> row, Span<float> slopes, ReadOnlySpan<float> bias, KeyedMask? mask, uint number)
        where TActivation : struct, IActivation
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var s = ref MemoryMarshal.GetReference(slopes);
        ref var b = ref MemoryMarshal.GetReference(bias);
        var (drop, isDropping) = (mask.GetValueOrDefault(), mask.HasValue);
        var keep = new Vector<float>(drop.Keep);
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            TActivation.Apply(Vector.LoadUnsafe(ref x, i) + Vector.LoadUnsafe(ref b, i), out var value, out var slope);
            if (isDropping)
            {
                var factor = Vector.ConditionalSelect(Vector.AsVectorSingle(drop.Kept(number + (uint)i)), keep, Vector<float>.Zero);
                (value, slope) = (value * factor, slope * factor);
            }
            value.StoreUnsafe(ref x, i);
            slope.StoreUnsafe(ref s, i);
        }
    }

    private static void Multiply(Span<float> row, ReadOnlySpan<float> slopes, Span<float> total)
    {
        ref var g = ref MemoryMarshal.GetReference(row);
        ref var s = ref MemoryMarshal.GetReference(slopes);
        ref var t = ref MemoryMarshal.GetReference(total);
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var value = Vector.LoadUnsafe(ref g, i) * Vector.LoadUnsafe(ref s, i);
            value.StoreUnsafe(ref g, i);
            (Vector.LoadUnsafe(ref t, i) + value).StoreUnsafe(ref t, i);
        }
    }

    /// <summary>1 / (1 + exp(-x)); exactly 0 where that is below the smallest normal number, so that minus infinity times it is NaN as elsewhere.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Logistic(Vector<float> x)
        => Vector.ConditionalSelect(Vector.LessThan(x, new Vector<float>(-87f)), Vector<float>.Zero, Vector<float>.One / (Vector<float>.One + VectorRow.Exp(-x)));

    private interface IActivation
    {
        static abstract void Apply(Vector<float> x, out Vector<float> value, out Vector<float> slope);
    }

    private readonly struct Relu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(Vector<float> x, out Vector<float> value, out Vector<float> slope)
        {
            var isZero = Vector.LessThanOrEqual(x, Vector<float>.Zero); // false for NaN, which passes
            value = Vector.ConditionalSelect(isZero, Vector<float>.Zero, x);
            slope = Vector.ConditionalSelect(isZero, Vector<float>.Zero, Vector<float>.One);
        }
    }

    private readonly struct Silu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(Vector<float> x, out Vector<float> value, out Vector<float> slope)
        {
            var sigmoid = Logistic(x);
            value = x * sigmoid;
            slope = Vector.FusedMultiplyAdd(value, Vector<float>.One - sigmoid, sigmoid);
        }
    }

    /// <summary>x times the normal distribution function, through the error function of Abramowitz and Stegun (1964), 7.1.26: absolute error 1.5e-7.</summary>
    private readonly struct Gelu : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(Vector<float> x, out Vector<float> value, out Vector<float> slope)
        {
            var bell = VectorRow.Exp(x * x * new Vector<float>(-0.5f));
            var t = Vector<float>.One / Vector.FusedMultiplyAdd(Vector.Abs(x), new Vector<float>(0.3275911f * 0.70710678f), Vector<float>.One);
            var p = Vector.FusedMultiplyAdd(new Vector<float>(0.5f * 1.061405429f), t, new Vector<float>(0.5f * -1.453152027f));
            p = Vector.FusedMultiplyAdd(p, t, new Vector<float>(0.5f * 1.421413741f));
            p = Vector.FusedMultiplyAdd(p, t, new Vector<float>(0.5f * -0.284496736f));
            p = Vector.FusedMultiplyAdd(p, t, new Vector<float>(0.5f * 0.254829592f));
            var tail = p * t * bell; // the distribution function at -|x|
            var share = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), tail, Vector<float>.One - tail);
            value = x * share;
            slope = Vector.FusedMultiplyAdd(x * bell, new Vector<float>(0.39894228f), share); // 1 / sqrt(2 pi)
        }
    }

    /// <summary>Its approximation with tanh (Hendrycks and Gimpel, 2016), which is x times a sigmoid.</summary>
    private readonly struct GeluTanh : IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Apply(Vector<float> x, out Vector<float> value, out Vector<float> slope)
        {
            const float Root = 2 * 0.79788456f; // 2 sqrt(2 / pi)
            var squared = x * x;
            var inner = x * Vector.FusedMultiplyAdd(squared, new Vector<float>(Root * 0.044715f), new Vector<float>(Root));
            var sigmoid = Logistic(inner);
            value = x * sigmoid;
            var steepness = Vector.FusedMultiplyAdd(squared, new Vector<float>(3 * Root * 0.044715f), new Vector<float>(Root));
            slope = Vector.FusedMultiplyAdd(value * (Vector<float>.One - sigmoid), steepness, sigmoid);
        }
    }
}

/// <summary>Activations that the kernel knows.</summary>
internal enum FusedActivation
{
    /// <summary>max(0, x).</summary>
    Relu,

    /// <summary>x times the normal distribution function.</summary>
    Gelu,

    /// <summary>Its approximation with tanh.</summary>
    GeluTanh,

    /// <summary>x times the logistic function.</summary>
    Silu,
}

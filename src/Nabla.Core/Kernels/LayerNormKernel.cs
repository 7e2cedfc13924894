using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>
/// Layer normalisation of float32 rows with statistics in float32, stored as float32 or, for a matrix product in bfloat16, as bfloat16. Rows of whole
/// vectors are read and written where they lie; others go through a buffer that is padded to whole vectors.
/// </summary>
internal static class LayerNormKernel
{
    /// <summary>Forward.</summary>
    public static void Forward<TOut>(nint x, nint weight, nint bias, nint result, nint mean, nint scale, long rows, int width, float epsilon)
        where TOut : unmanaged
        => KernelLoop.Run(rows, width, (_, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(4 * padded);
            buffer.AsSpan().Clear();
            Span<float> w = buffer.AsSpan(0, padded), b = buffer.AsSpan(padded, padded), copy = buffer.AsSpan(2 * padded, padded), normal = buffer.AsSpan(3 * padded, padded);
            TensorMemory.Row<float>(weight, 0, width).CopyTo(w);
            TensorMemory.Row<float>(bias, 0, width).CopyTo(b);
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                var row = Whole(TensorMemory.Row<float>(x, start, width), copy);
                var mu = Sum(row) / width; // what lies behind the row is 0
                row[width..].Fill(mu); // and then at no distance from the mean
                var sigma = 1 / MathF.Sqrt((SquaredDistance(row, mu) / width) + epsilon);
                TensorMemory.Row<float>(mean, r, 1)[0] = mu;
                TensorMemory.Row<float>(scale, r, 1)[0] = sigma;
                var target = TensorMemory.Row<TOut>(result, start, width);
                if (typeof(TOut) == typeof(float) && padded == width)
                {
                    Normalize(row, w, b, MemoryMarshal.Cast<TOut, float>(target), mu, sigma);
                }
                else
                {
                    Normalize(row, w, b, normal, mu, sigma);
                    VectorRow.Store<TOut>(normal[..width], target);
                }
                copy[width..].Clear();
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>Backward: gradients of x, and of weight and bias for each chunk of rows (see <see cref="ColumnSums"/>).</summary>
    public static void Backward<TOut>(nint x, nint weight, nint gradient, nint mean, nint scale, nint xGradient, nint weightSums, nint biasSums, long rows, int width)
        where TOut : unmanaged
        => KernelLoop.Run(rows, width, (chunk, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(6 * padded);
            buffer.AsSpan().Clear();
            Span<float> w = buffer.AsSpan(0, padded), copy = buffer.AsSpan(padded, padded), loaded = buffer.AsSpan(2 * padded, padded);
            Span<float> result = buffer.AsSpan(3 * padded, padded), weightSum = buffer.AsSpan(4 * padded, padded), biasSum = buffer.AsSpan(5 * padded, padded);
            TensorMemory.Row<float>(weight, 0, width).CopyTo(w);
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                var row = Whole(TensorMemory.Row<float>(x, start, width), copy);
                var incoming = TensorMemory.Row<TOut>(gradient, start, width);
                var g = loaded;
                if (typeof(TOut) == typeof(float))
                {
                    g = Whole(MemoryMarshal.Cast<TOut, float>(incoming), loaded);
                }
                else
                {
                    VectorRow.Load<TOut>(incoming, loaded);
                }
                var target = TensorMemory.Row<float>(xGradient, start, width);
                var dx = padded == width ? target : result;
                BackwardRow(row, g, w, weightSum, biasSum, dx, TensorMemory.Row<float>(mean, r, 1)[0], TensorMemory.Row<float>(scale, r, 1)[0], width);
                if (padded != width)
                {
                    dx[..width].CopyTo(target);
                }
            }
            ColumnSums.Put(weightSums, chunk, weightSum[..width]);
            ColumnSums.Put(biasSums, chunk, biasSum[..width]);
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>The row itself where it is whole vectors, else its copy in a padded buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Span<float> Whole(Span<float> row, Span<float> buffer)
    {
        if (row.Length == buffer.Length)
        {
            return row;
        }
        row.CopyTo(buffer);
        return buffer;
    }

    /// <summary>Sum in four chains, so that an addition does not wait for the one before.</summary>
    private static float Sum(ReadOnlySpan<float> row)
    {
        var step = Vector<float>.Count;
        var (first, second, third, fourth) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        ref var x = ref MemoryMarshal.GetReference(row);
        var i = 0;
        for (; i <= row.Length - (4 * step); i += 4 * step)
        {
            first += Vector.LoadUnsafe(ref x, (nuint)i);
            second += Vector.LoadUnsafe(ref x, (nuint)(i + step));
            third += Vector.LoadUnsafe(ref x, (nuint)(i + (2 * step)));
            fourth += Vector.LoadUnsafe(ref x, (nuint)(i + (3 * step)));
        }
        for (; i < row.Length; i += step)
        {
            first += Vector.LoadUnsafe(ref x, (nuint)i);
        }
        return Vector.Sum(first + second + (third + fourth));
    }

    private static float SquaredDistance(ReadOnlySpan<float> row, float mean)
    {
        var step = Vector<float>.Count;
        var mu = new Vector<float>(mean);
        var (first, second, third, fourth) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero);
        ref var x = ref MemoryMarshal.GetReference(row);
        var i = 0;
        for (; i <= row.Length - (4 * step); i += 4 * step)
        {
            first = Add(first, ref x, i, mu);
            second = Add(second, ref x, i + step, mu);
            third = Add(third, ref x, i + (2 * step), mu);
            fourth = Add(fourth, ref x, i + (3 * step), mu);
        }
        for (; i < row.Length; i += step)
        {
            first = Add(first, ref x, i, mu);
        }
        return Vector.Sum(first + second + (third + fourth));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector<float> Add(Vector<float> sum, ref float x, int i, Vector<float> mean)
        {
            var distance = Vector.LoadUnsafe(ref x, (nuint)i) - mean;
            return Vector.FusedMultiplyAdd(distance, distance, sum);
        }
    }

    private static void Normalize(ReadOnlySpan<float> row, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> result, float mean, float scale)
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var w = ref MemoryMarshal.GetReference(weight);
        ref var b = ref MemoryMarshal.GetReference(bias);
        ref var y = ref MemoryMarshal.GetReference(result);
        var (sigma, mu) = (new Vector<float>(scale), new Vector<float>(mean));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var normal = (Vector.LoadUnsafe(ref x, i) - mu) * sigma; // not x sigma - mu sigma, which loses what x and the mean have in common
            Vector.FusedMultiplyAdd(normal, Vector.LoadUnsafe(ref w, i), Vector.LoadUnsafe(ref b, i)).StoreUnsafe(ref y, i);
        }
    }

    /// <summary><c>dx = scale (w g - mean(w g) - n mean(w g n))</c> with n the normal row. Behind a padded row w and g are 0, so nothing is added.</summary>
    private static void BackwardRow(
        ReadOnlySpan<float> row, ReadOnlySpan<float> gradient, ReadOnlySpan<float> weight, Span<float> weightSum, Span<float> biasSum, Span<float> result, float mean, float scale, int width)
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var g = ref MemoryMarshal.GetReference(gradient);
        ref var w = ref MemoryMarshal.GetReference(weight);
        ref var dw = ref MemoryMarshal.GetReference(weightSum);
        ref var db = ref MemoryMarshal.GetReference(biasSum);
        ref var dx = ref MemoryMarshal.GetReference(result);
        var (sigma, mu) = (new Vector<float>(scale), new Vector<float>(mean));
        var (evenSum, oddSum, evenProduct, oddProduct) = (Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero, Vector<float>.Zero); // two chains each
        nuint step = (nuint)Vector<float>.Count, i = 0;
        for (; i + step < (nuint)row.Length; i += 2 * step)
        {
            Add(ref x, ref g, ref w, ref dw, ref db, i, mu, sigma, ref evenSum, ref evenProduct);
            Add(ref x, ref g, ref w, ref dw, ref db, i + step, mu, sigma, ref oddSum, ref oddProduct);
        }
        if (i < (nuint)row.Length)
        {
            Add(ref x, ref g, ref w, ref dw, ref db, i, mu, sigma, ref evenSum, ref evenProduct);
        }
        var (meanSum, meanProduct) = (new Vector<float>(-scale * Vector.Sum(evenSum + oddSum) / width), new Vector<float>(-scale * Vector.Sum(evenProduct + oddProduct) / width));
        for (i = 0; i < (nuint)row.Length; i += step)
        {
            var normal = (Vector.LoadUnsafe(ref x, i) - mu) * sigma;
            var weighted = Vector.LoadUnsafe(ref g, i) * Vector.LoadUnsafe(ref w, i);
            Vector.FusedMultiplyAdd(normal, meanProduct, Vector.FusedMultiplyAdd(weighted, sigma, meanSum)).StoreUnsafe(ref dx, i);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add(
            ref float x, ref float g, ref float w, ref float dw, ref float db, nuint i, Vector<float> mean, Vector<float> scale, ref Vector<float> sum, ref Vector<float> product)
        {
            var normal = (Vector.LoadUnsafe(ref x, i) - mean) * scale;
            var incoming = Vector.LoadUnsafe(ref g, i);
            Vector.FusedMultiplyAdd(incoming, normal, Vector.LoadUnsafe(ref dw, i)).StoreUnsafe(ref dw, i);
            (Vector.LoadUnsafe(ref db, i) + incoming).StoreUnsafe(ref db, i);
            var weighted = incoming * Vector.LoadUnsafe(ref w, i);
            sum += weighted;
            product = Vector.FusedMultiplyAdd(weighted, normal, product);
        }
    }
}

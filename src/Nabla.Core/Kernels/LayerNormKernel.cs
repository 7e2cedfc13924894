using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>Layer normalisation of float32 rows with statistics in float32, stored as float32 or, for a matrix product in bfloat16, as bfloat16.</summary>
internal static class LayerNormKernel
{
    /// <summary>Forward.</summary>
    public static void Forward<TOut>(nint x, nint weight, nint bias, nint result, nint mean, nint scale, long rows, int width, float epsilon)
        where TOut : unmanaged
        => KernelLoop.Run(rows, width, (_, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(3 * padded);
            var row = buffer.AsSpan(0, padded);
            var w = buffer.AsSpan(padded, padded);
            var b = buffer.AsSpan(2 * padded, padded);
            buffer.AsSpan().Clear();
            TensorMemory.Row<float>(weight, 0, width).CopyTo(w);
            TensorMemory.Row<float>(bias, 0, width).CopyTo(b);
            for (var r = from; r < to; r++)
            {
                TensorMemory.Row<float>(x, (long)r * width, width).CopyTo(row);
                var mu = VectorRow.Sum(row) / width; // what lies behind the row is 0
                var sigma = 1 / MathF.Sqrt((SquaredDistance(row, mu, width) / width) + epsilon);
                TensorMemory.Row<float>(mean, r, 1)[0] = mu;
                TensorMemory.Row<float>(scale, r, 1)[0] = sigma;
                Normalize(row, w, b, mu, sigma);
                VectorRow.Store<TOut>(row[..width], TensorMemory.Row<TOut>(result, (long)r * width, width));
                row[width..].Clear();
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>Backward: gradients of x, and of weight and bias for each chunk of rows (see <see cref="ColumnSums"/>).</summary>
    public static void Backward<TOut>(nint x, nint weight, nint gradient, nint mean, nint scale, nint xGradient, nint weightSums, nint biasSums, long rows, int width)
        where TOut : unmanaged
        => KernelLoop.Run(rows, width, (chunk, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(5 * padded);
            buffer.AsSpan().Clear();
            var row = buffer.AsSpan(0, padded);
            var g = buffer.AsSpan(padded, padded);
            var w = buffer.AsSpan(2 * padded, padded);
            var weightSum = buffer.AsSpan(3 * padded, padded);
            var biasSum = buffer.AsSpan(4 * padded, padded);
            TensorMemory.Row<float>(weight, 0, width).CopyTo(w);
            for (var r = from; r < to; r++)
            {
                TensorMemory.Row<float>(x, (long)r * width, width).CopyTo(row);
                VectorRow.Load<TOut>(TensorMemory.Row<TOut>(gradient, (long)r * width, width), g);
                BackwardRow(row, g, w, weightSum, biasSum, TensorMemory.Row<float>(mean, r, 1)[0], TensorMemory.Row<float>(scale, r, 1)[0], width);
                row[..width].CopyTo(TensorMemory.Row<float>(xGradient, (long)r * width, width));
                row[width..].Clear();
            }
            ColumnSums.Put(weightSums, chunk, weightSum[..width]);
            ColumnSums.Put(biasSums, chunk, biasSum[..width]);
            ArrayPool<float>.Shared.Return(buffer);
        });

    private static float SquaredDistance(Span<float> row, float mean, int width)
    {
        var (sum, mu) = (Vector<float>.Zero, new Vector<float>(mean));
        ref var start = ref MemoryMarshal.GetReference(row);
        var i = 0;
        for (; i <= width - Vector<float>.Count; i += Vector<float>.Count)
        {
            var distance = Vector.LoadUnsafe(ref start, (nuint)i) - mu;
            sum = Vector.FusedMultiplyAdd(distance, distance, sum);
        }
        var rest = 0f;
        for (; i < width; i++)
        {
            rest += (row[i] - mean) * (row[i] - mean);
        }
        return Vector.Sum(sum) + rest;
    }

    private static void Normalize(Span<float> row, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, float mean, float scale)
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var w = ref MemoryMarshal.GetReference(weight);
        ref var b = ref MemoryMarshal.GetReference(bias);
        var (sigma, mu) = (new Vector<float>(scale), new Vector<float>(mean));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var normal = (Vector.LoadUnsafe(ref x, i) - mu) * sigma; // not x sigma - mu sigma, which loses what x and the mean have in common
            Vector.FusedMultiplyAdd(normal, Vector.LoadUnsafe(ref w, i), Vector.LoadUnsafe(ref b, i)).StoreUnsafe(ref x, i);
        }
    }

    /// <summary><c>dx = scale (w g - mean(w g) - n mean(w g n))</c> with n the normal row; row is overwritten by dx.</summary>
    private static void BackwardRow(Span<float> row, Span<float> gradient, ReadOnlySpan<float> weight, Span<float> weightSum, Span<float> biasSum, float mean, float scale, int width)
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        ref var g = ref MemoryMarshal.GetReference(gradient);
        ref var w = ref MemoryMarshal.GetReference(weight);
        ref var dw = ref MemoryMarshal.GetReference(weightSum);
        ref var db = ref MemoryMarshal.GetReference(biasSum);
        var (sigma, mu) = (new Vector<float>(scale), new Vector<float>(mean));
        var (sum, product) = (Vector<float>.Zero, Vector<float>.Zero);
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count) // behind the row g and w are 0, so nothing is added
        {
            var normal = (Vector.LoadUnsafe(ref x, i) - mu) * sigma;
            var incoming = Vector.LoadUnsafe(ref g, i);
            Vector.FusedMultiplyAdd(incoming, normal, Vector.LoadUnsafe(ref dw, i)).StoreUnsafe(ref dw, i);
            (Vector.LoadUnsafe(ref db, i) + incoming).StoreUnsafe(ref db, i);
            var weighted = incoming * Vector.LoadUnsafe(ref w, i);
            sum += weighted;
            product = Vector.FusedMultiplyAdd(weighted, normal, product);
            normal.StoreUnsafe(ref x, i);
            weighted.StoreUnsafe(ref g, i);
        }
        var (meanSum, meanProduct) = (new Vector<float>(-scale * Vector.Sum(sum) / width), new Vector<float>(-scale * Vector.Sum(product) / width));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var centred = Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref g, i), sigma, meanSum);
            Vector.FusedMultiplyAdd(Vector.LoadUnsafe(ref x, i), meanProduct, centred).StoreUnsafe(ref x, i);
        }
    }
}

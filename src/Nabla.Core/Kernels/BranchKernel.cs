using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>The end of a residual branch in one pass: <c>x + dropout(branch + bias)</c>, and its gradients.</summary>
internal static class BranchKernel
{
    /// <summary>Forward. <paramref name="bias"/> may be 0: none.</summary>
    public static void Forward<TBranch>(nint x, nint branch, nint bias, nint result, KeyedMask? mask, long rows, int width)
        where TBranch : unmanaged
        => KernelLoop.Run(rows, width, (_, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(3 * padded);
            buffer.AsSpan().Clear();
            var sum = buffer.AsSpan(0, padded);
            var row = buffer.AsSpan(padded, padded);
            var b = buffer.AsSpan(2 * padded, padded);
            if (bias != 0)
            {
                TensorMemory.Row<float>(bias, 0, width).CopyTo(b);
            }
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                TensorMemory.Row<float>(x, start, width).CopyTo(sum);
                VectorRow.Load<TBranch>(TensorMemory.Row<TBranch>(branch, start, width), row);
                Add(sum, row, b, mask, (uint)start);
                sum[..width].CopyTo(TensorMemory.Row<float>(result, start, width));
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>Backward: gradient of the branch, and of the bias for each chunk of rows (0: no bias; see <see cref="ColumnSums"/>).</summary>
    public static void Backward<TBranch>(nint gradient, nint branchGradient, nint biasSums, KeyedMask? mask, long rows, int width)
        where TBranch : unmanaged
        => KernelLoop.Run(rows, width, (chunk, from, to) =>
        {
            var padded = VectorRow.Padded(width);
            var buffer = ArrayPool<float>.Shared.Rent(2 * padded);
            buffer.AsSpan().Clear();
            var row = buffer.AsSpan(0, padded);
            var total = buffer.AsSpan(padded, padded);
            for (var r = from; r < to; r++)
            {
                var start = (long)r * width;
                TensorMemory.Row<float>(gradient, start, width).CopyTo(row);
                Drop(row, total, mask, (uint)start);
                VectorRow.Store<TBranch>(row[..width], TensorMemory.Row<TBranch>(branchGradient, start, width));
            }
            ColumnSums.Put(biasSums, chunk, total[..width]);
            ArrayPool<float>.Shared.Return(buffer);
        });

    private static void Add(Span<float> sum, ReadOnlySpan<float> branch, ReadOnlySpan<float> bias, KeyedMask? mask, uint number)
    {
        ref var x = ref MemoryMarshal.GetReference(sum);
        ref var y = ref MemoryMarshal.GetReference(branch);
        ref var b = ref MemoryMarshal.GetReference(bias);
        if (mask is not { } drop)
        {
            for (nuint i = 0; i < (nuint)sum.Length; i += (nuint)Vector<float>.Count)
            {
                (Vector.LoadUnsafe(ref x, i) + Vector.LoadUnsafe(ref y, i) + Vector.LoadUnsafe(ref b, i)).StoreUnsafe(ref x, i);
            }
            return;
        }
        var keep = new Vector<float>(drop.Keep);
        for (nuint i = 0; i < (nuint)sum.Length; i += (nuint)Vector<float>.Count)
        {
            var value = (Vector.LoadUnsafe(ref y, i) + Vector.LoadUnsafe(ref b, i)) * keep;
            value = Vector.ConditionalSelect(Vector.AsVectorSingle(drop.Kept(number + (uint)i)), value, Vector<float>.Zero);
            (Vector.LoadUnsafe(ref x, i) + value).StoreUnsafe(ref x, i);
        }
    }

    private static void Drop(Span<float> row, Span<float> total, KeyedMask? mask, uint number)
    {
        ref var g = ref MemoryMarshal.GetReference(row);
        ref var t = ref MemoryMarshal.GetReference(total);
        var (drop, isDropping) = (mask.GetValueOrDefault(), mask.HasValue);
        var keep = new Vector<float>(drop.Keep);
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var value = Vector.LoadUnsafe(ref g, i);
            if (isDropping)
            {
                value = Vector.ConditionalSelect(Vector.AsVectorSingle(drop.Kept(number + (uint)i)), value * keep, Vector<float>.Zero);
                value.StoreUnsafe(ref g, i);
            }
            (Vector.LoadUnsafe(ref t, i) + value).StoreUnsafe(ref t, i);
        }
    }
}

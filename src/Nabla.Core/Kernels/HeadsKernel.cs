using System.Buffers;

namespace Nabla.Core.Kernels;

/// <summary>
/// Brings rows of all heads side by side, <c>[batch, time, parts * heads * size]</c>, into one matrix for each head,
/// <c>[batch * heads, time, size]</c> for each part (query, key, value), and back, adding a bias on the way in and summing its gradient on the way out.
/// </summary>
internal static class HeadsKernel
{
    /// <summary>Apart. <paramref name="bias"/> may be 0: none.</summary>
    public static void Split<T>(nint packed, nint bias, nint[] parts, long batch, int time, int heads, int size)
        where T : unmanaged
    {
        var width = parts.Length * heads * size;
        KernelLoop.Run(batch * time, width, (_, from, to) =>
        {
            var buffer = ArrayPool<float>.Shared.Rent(width);
            for (var r = from; r < to; r++)
            {
                var source = TensorMemory.Row<T>(packed, (long)r * width, width);
                if (bias == 0)
                {
                    Scatter(source, parts, r, time, heads, size);
                    continue;
                }
                var row = buffer.AsSpan(0, width);
                VectorRow.Load<T>(source, row);
                VectorRow.Accumulate(TensorMemory.Row<float>(bias, 0, width), row);
                for (var i = 0; i < parts.Length * heads; i++)
                {
                    VectorRow.Store<T>(row.Slice(i * size, size), TensorMemory.Row<T>(parts[i / heads], Start(r, i % heads, time, heads, size), size));
                }
            }
            ArrayPool<float>.Shared.Return(buffer);
        });
    }

    /// <summary>Together, with the sum of each column for each chunk of rows (0: not wanted; see <see cref="ColumnSums"/>).</summary>
    public static void Join<T>(nint[] parts, nint packed, nint columnSums, long batch, int time, int heads, int size)
        where T : unmanaged
    {
        var width = parts.Length * heads * size;
        KernelLoop.Run(batch * time, width, (chunk, from, to) =>
        {
            var buffer = ArrayPool<float>.Shared.Rent(2 * width);
            var total = buffer.AsSpan(width, width);
            total.Clear();
            for (var r = from; r < to; r++)
            {
                var target = TensorMemory.Row<T>(packed, (long)r * width, width);
                for (var i = 0; i < parts.Length * heads; i++)
                {
                    TensorMemory.Row<T>(parts[i / heads], Start(r, i % heads, time, heads, size), size).CopyTo(target[(i * size)..]);
                }
                if (columnSums != 0)
                {
                    VectorRow.Load<T>(target, buffer.AsSpan(0, width));
                    VectorRow.Accumulate(buffer.AsSpan(0, width), total);
                }
            }
            ColumnSums.Put(columnSums, chunk, total);
            ArrayPool<float>.Shared.Return(buffer);
        });
    }

    private static void Scatter<T>(ReadOnlySpan<T> source, nint[] parts, int row, int time, int heads, int size)
        where T : unmanaged
    {
        for (var i = 0; i < parts.Length * heads; i++)
        {
            source.Slice(i * size, size).CopyTo(TensorMemory.Row<T>(parts[i / heads], Start(row, i % heads, time, heads, size), size));
        }
    }

    /// <summary>First entry of a head's row.</summary>
    private static long Start(int row, int head, int time, int heads, int size) => ((((long)(row / time) * heads) + head) * time * size) + ((long)(row % time) * size);
}

namespace Nabla.Core.Kernels;

/// <summary>Where the rows of each (batch, head) pair lie in a bfloat16 tensor; distances count entries, a row is dense.</summary>
/// <param name="Address">First entry.</param>
/// <param name="BatchStride">Between batches.</param>
/// <param name="HeadStride">Between heads.</param>
/// <param name="RowStride">Between rows of a head.</param>
/// <param name="Bias">Float32, added to every row, one row of it for each head; 0: none.</param>
internal readonly unsafe record struct HeadRows(nint Address, long BatchStride, long HeadStride, long RowStride, nint Bias = 0)
{
    /// <summary>Rows of a tensor <c>[batch, heads, rows, size]</c> whose last axis is dense.</summary>
    public static HeadRows Of(Tensor x)
    {
        var strides = x.stride();
        return new(TensorMemory.StridedAddress(x), strides[0], strides[1], strides[2]);
    }

    /// <summary>One of the parts, each of all heads, that lie side by side in a dense <c>[batch, time, parts * heads * size]</c>.</summary>
    public static HeadRows Part(Tensor packed, int part, int heads, int size, nint bias = 0)
    {
        long[] shape = packed.Sizes();
        var offset = (long)part * heads * size;
        return new(TensorMemory.Address(packed) + (nint)(offset * sizeof(ushort)), shape[1] * shape[2], size, shape[2], bias == 0 ? 0 : bias + (nint)(offset * sizeof(float)));
    }

    /// <summary>First row of a head.</summary>
    public ushort* Start(int batch, int head) => (ushort*)Address + (batch * BatchStride) + (head * HeadStride);

    /// <summary>Copies rows of a head, bias included, to <paramref name="target"/>, <paramref name="stride"/> apart and filled up with zeros to that.</summary>
    public void Gather(int batch, int head, int first, int count, int size, ushort* target, int stride)
    {
        var source = Start(batch, head) + (first * RowStride);
        var sum = stackalloc float[Bias == 0 ? 0 : VectorRow.Padded(size)];
        for (var row = 0; row < count; row++, source += RowStride, target += stride)
        {
            ReadOnlySpan<ushort> from = new(source, size);
            Span<ushort> to = new(target, size);
            if (Bias == 0)
            {
                from.CopyTo(to);
            }
            else
            {
                Span<float> values = new(sum, size);
                VectorRow.Load(from, values);
                VectorRow.Accumulate(new ReadOnlySpan<float>((float*)Bias + ((long)head * size), size), values);
                VectorRow.Store(values, to);
            }
            new Span<ushort>(target + size, stride - size).Clear();
        }
    }

    /// <summary>Stores float32 rows of a head.</summary>
    public void Scatter(int batch, int head, int first, int count, int size, float* source, int stride)
    {
        var target = Start(batch, head) + (first * RowStride);
        for (var row = 0; row < count; row++, target += RowStride, source += stride)
        {
            VectorRow.Store(new ReadOnlySpan<float>(source, size), new Span<ushort>(target, size));
        }
    }
}

namespace Nabla.Core.Kernels;

/// <summary>
/// Sums of the columns of a matrix whose rows are shared among threads, such as a bias's gradient: one row of sums for each chunk of
/// <see cref="KernelLoop"/>, added up in the order of the chunks. The rows lie in reused native memory: as arrays of the managed heap they are large objects,
/// whose collection stops all threads.
/// </summary>
internal readonly unsafe ref struct ColumnSums
{
    private readonly KernelBuffer _rows;
    private readonly int _chunks, _width;

    /// <summary>Takes memory for the sums of the chunks of a matrix; <see cref="Address"/> is 0 where they are not wanted.</summary>
    public ColumnSums(long rows, int width, bool areWanted = true)
        : this(areWanted ? KernelLoop.Chunks(rows, width) : 0, width)
    {
    }

    /// <summary>Takes memory for a number of rows of sums; for 0 they are not wanted.</summary>
    public ColumnSums(int chunks, int width)
    {
        (_chunks, _width) = (chunks, width);
        _rows = chunks > 0 ? new KernelBuffer((long)chunks * width * sizeof(float)) : default;
    }

    /// <summary>Where kernels put the sums of their chunks, by <see cref="Put"/>.</summary>
    public nint Address => (nint)_rows.Address;

    /// <summary>Stores the sums of a chunk; does nothing where they are not wanted.</summary>
    /// <param name="address">From <see cref="Address"/>.</param>
    /// <param name="chunk">Number of the chunk.</param>
    /// <param name="sums">One number for each column.</param>
    public static void Put(nint address, int chunk, ReadOnlySpan<float> sums)
    {
        if (address != 0)
        {
            sums.CopyTo(TensorMemory.Row<float>(address, (long)chunk * sums.Length, sums.Length));
        }
    }

    /// <summary>The sums, <c>[width]</c>; null where they are not wanted. Every chunk must have put its own.</summary>
    public Tensor? Total()
    {
        if (_chunks == 0)
        {
            return null;
        }
        var total = torch.empty([_width]);
        var sums = TensorMemory.Row<float>(TensorMemory.Address(total), 0, _width);
        sums.Clear();
        for (var chunk = 0; chunk < _chunks; chunk++)
        {
            VectorRow.Accumulate(TensorMemory.Row<float>(Address, (long)chunk * _width, _width), sums);
        }
        return total;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose() => _rows.Dispose();
}

namespace Nabla.Core.Kernels;

/// <summary>
/// Shares the rows of a kernel among threads. Chunks depend on the size of the work only, never on the number of threads, and sums over rows are
/// made for each chunk and then added in order, so results are the same bits for any number of threads.
/// </summary>
internal static class KernelLoop
{
    private const int MostChunks = 64; // few enough that the sums of chunks cost nothing, enough to share among cores
    private const int FewestEntries = 1 << 14; // less is not worth waking a thread for (about 5 microseconds of work)

    /// <summary>Rows of a chunk.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="width">Entries of a row.</param>
    public static int ChunkRows(long rows, long width)
        => (int)Math.Max((rows + MostChunks - 1) / MostChunks, (FewestEntries + width - 1) / Math.Max(1, width));

    /// <summary>Number of chunks.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="width">Entries of a row.</param>
    public static int Chunks(long rows, long width)
    {
        var size = ChunkRows(rows, width);
        return (int)((rows + size - 1) / size);
    }

    /// <summary>Calls the body for each chunk with its number, its first row and the row behind its last.</summary>
    /// <param name="rows">All rows.</param>
    /// <param name="width">Entries of a row.</param>
    /// <param name="body">The work; chunks may run at once.</param>
    public static void Run(long rows, long width, Action<int, int, int> body)
    {
        var (size, chunks) = (ChunkRows(rows, width), Chunks(rows, width));
        Share(chunks, RunChunk);

        void RunChunk(int chunk) => body(chunk, chunk * size, (int)Math.Min(rows, (chunk + 1L) * size));
    }

    /// <summary>Calls the body for each part of a work; the first to the last where there is one thread.</summary>
    /// <param name="parts">Number of parts; it must not depend on the number of threads where results shall not.</param>
    /// <param name="body">The work of a part; parts may run at once.</param>
    public static void Share(int parts, Action<int> body)
    {
        var threads = parts > 1 ? torch.get_num_threads() : 1;
        if (threads > 1)
        {
            Parallel.For(0, parts, new ParallelOptions { MaxDegreeOfParallelism = threads }, body);
            return;
        }
        for (var part = 0; part < parts; part++)
        {
            body(part);
        }
    }

    /// <summary>Adds up the sums of chunks, in order.</summary>
    /// <param name="partial">One row of sums for each chunk.</param>
    /// <param name="total">Takes the result.</param>
    public static void AddUp(ReadOnlySpan<float> partial, Span<float> total)
    {
        total.Clear();
        for (var start = 0; start < partial.Length; start += total.Length)
        {
            VectorRow.Accumulate(partial.Slice(start, total.Length), total);
        }
    }
}

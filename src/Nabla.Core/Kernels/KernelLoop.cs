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
        var size = ChunkRows(rows, width);
        KernelTeam.Run(Chunks(rows, width), chunk => body(chunk, chunk * size, (int)Math.Min(rows, (chunk + 1L) * size)));
    }
}

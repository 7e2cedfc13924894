namespace Nabla.Core.Kernels;

/// <summary>
/// Sizes of one direction of one LSTM layer over a batch of sequences. Sequences do not see each other, so the batch is cut into chunks of about
/// equally many, at most a tile's height; the cut depends on the batch only, never on the number of threads.
/// </summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Time">Steps.</param>
/// <param name="Inputs">Width of the input.</param>
/// <param name="Hidden">Width of the state, a multiple of <see cref="Units"/>.</param>
/// <param name="Lengths">Real steps of each sequence; null: all.</param>
/// <param name="IsReverse">Whether the sequence is read from its end.</param>
internal sealed record LstmShape(int Batch, int Time, int Inputs, int Hidden, int[]? Lengths, bool IsReverse)
{
    /// <summary>Units of a group: one vector. All four gates of a group are one panel of a product.</summary>
    public const int Units = 16;

    private const int TileRows = 16;

    /// <summary>Columns of all gates.</summary>
    public int Gates => 4 * Hidden;

    /// <summary>Groups of units.</summary>
    public int Groups => Hidden / Units;

    /// <summary>Input columns in memory.</summary>
    public int PaddedInputs => TileProduct.PadInner(Inputs);

    /// <summary>State columns in memory.</summary>
    public int PaddedHidden => TileProduct.PadInner(Hidden);

    /// <summary>Chunks of sequences.</summary>
    public int Chunks => (Batch + TileRows - 1) / TileRows;

    /// <summary>Rows of a chunk in memory: even, because a tile multiplies pairs of rows when it sums over them.</summary>
    public int ChunkRows => (((Batch + Chunks - 1) / Chunks) + 1) / 2 * 2;

    /// <summary>First sequence of a chunk.</summary>
    public int First(int chunk) => chunk * ChunkRows;

    /// <summary>Sequences of a chunk.</summary>
    public int Count(int chunk) => Math.Min(ChunkRows, Batch - First(chunk));

    /// <summary>The step that is computed as number <paramref name="turn"/>.</summary>
    public int StepAt(int turn) => IsReverse ? Time - 1 - turn : turn;

    /// <summary>Whether a step belongs to a sequence.</summary>
    public bool IsReal(int sequence, int step) => Lengths is null || step < Lengths[sequence];
}

/// <summary>
/// Addresses of what the forward pass keeps, chunk by chunk, in the order in which steps are computed. Gates and memories lie group by group, so
/// that what a group of units touches in a step is contiguous.
/// </summary>
/// <param name="Inputs">Inputs, bfloat16, <c>[chunks, time, rows, padded inputs]</c>.</param>
/// <param name="States">State before each step, bfloat16, <c>[chunks, time, rows, padded hidden]</c>.</param>
/// <param name="Gates">Gates after their functions, bfloat16, <c>[chunks, time, groups, rows, 4 * units]</c>.</param>
/// <param name="Memories">Memory before the first and after each step, float32, <c>[chunks, time + 1, groups, rows, units]</c>.</param>
internal readonly record struct LstmTape(nint Inputs, nint States, nint Gates, nint Memories);

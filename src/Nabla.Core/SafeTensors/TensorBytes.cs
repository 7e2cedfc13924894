namespace Nabla.Core;

/// <summary>Walks over the memory of a contiguous CPU tensor in pieces, because one span holds less than 2 GB.</summary>
internal static class TensorBytes
{
    private const long PieceBytes = 64L << 20;

    /// <summary>What is done with a piece.</summary>
    /// <param name="piece">Memory of the tensor; valid during the call.</param>
    /// <param name="offset">Place of the piece in the tensor, in bytes.</param>
    public delegate void PieceAction(Span<byte> piece, long offset);

    /// <summary>Calls <paramref name="action"/> on each piece of the tensor's own memory, in order.</summary>
    /// <param name="tensor">Contiguous, on the CPU.</param>
    /// <param name="action">Reads or fills the piece.</param>
    public static void ForEachPiece(Tensor tensor, PieceAction action)
    {
        var (count, size) = (tensor.NumberOfElements, (long)tensor.ElementSize);
        if (count == 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        var flat = tensor.view(-1);
        var step = PieceBytes / size;
        for (var start = 0L; start < count; start += step)
        {
            using var piece = flat.narrow(0, start, Math.Min(step, count - start));
            action(piece.bytes, start * size);
        }
        GC.KeepAlive(tensor);
    }
}

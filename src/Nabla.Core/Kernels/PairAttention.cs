namespace Nabla.Core.Kernels;

/// <summary>Sizes of an attention.</summary>
/// <param name="Batch">Batches.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Queries">Queries of a pair.</param>
/// <param name="Keys">Keys of a pair.</param>
/// <param name="Size">Entries of a query, key or value.</param>
internal readonly record struct AttentionSize(int Batch, int Heads, int Queries, int Keys, int Size);

/// <summary>
/// Attention in bfloat16 that computes each (batch, head) pair in one go: <see cref="ShortAttention"/> where its matrices fit the first-level cache,
/// <see cref="TileAttention"/> where they are larger. Pairs are shared among threads, so results do not depend on their number.
/// </summary>
internal static unsafe class PairAttention
{
    private const int FewestWork = 1 << 17; // multiply-adds of a pass; less is not worth waking a thread for

    /// <summary>Whether it can be computed here, and pays.</summary>
    public static bool Supports(AttentionSize size) => ShortAttention.Supports(size) || TileAttention.Supports(size);

    /// <summary>Length of a row of the weights that are kept, <c>[batch * heads, queries, length]</c>.</summary>
    public static int KeptKeys(AttentionSize size) => ShortAttention.Supports(size) ? ShortAttention.Padded(size.Keys) : size.Keys;

    /// <summary>Forward.</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="call">Scale and causality.</param>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="result">Takes the result.</param>
    /// <param name="signed">Takes the weights, <see cref="KeptKeys"/> a row; what a causal query does not see may be left undefined.</param>
    /// <param name="added">Added to the scores.</param>
    /// <param name="mask">Dropout of the weights; null: none.</param>
    public static void Forward(AttentionSize size, AttentionCall call, HeadRows q, HeadRows k, HeadRows v, HeadRows result, nint signed, AttentionMask added, KeyedMask? mask)
    {
        if (ShortAttention.Supports(size))
        {
            ForEachPair(size, (batch, head) => ShortAttention.Forward(size, call, batch, head, q, k, v, result, (ushort*)signed, added, mask));
            return;
        }
        ForEachPair(size, (batch, head) => TileAttention.Forward(size, call, batch, head, q, k, v, result, signed, added, mask), TileProduct.Release);
    }

    /// <summary>Backward.</summary>
    /// <param name="size">Sizes.</param>
    /// <param name="call">Scale, dropout and causality.</param>
    /// <param name="q">Queries.</param>
    /// <param name="k">Keys.</param>
    /// <param name="v">Values.</param>
    /// <param name="gradient">Gradient of the result.</param>
    /// <param name="signed">Weights of the forward pass.</param>
    /// <param name="dq">Takes the gradient of the queries.</param>
    /// <param name="dk">Takes that of the keys.</param>
    /// <param name="dv">Takes that of the values.</param>
    /// <param name="sums">Takes the sums of these three over the rows, float32 <c>[batch, 3 * heads * size]</c>; 0: not wanted.</param>
    public static void Backward(
        AttentionSize size, AttentionCall call, HeadRows q, HeadRows k, HeadRows v, HeadRows gradient, nint signed, HeadRows dq, HeadRows dk, HeadRows dv, nint sums)
    {
        PairSums totals = new(sums, size.Heads, size.Size);
        if (ShortAttention.Supports(size))
        {
            ForEachPair(size, (batch, head) => ShortAttention.Backward(size, call, batch, head, q, k, v, gradient, (ushort*)signed, dq, dk, dv, totals));
            return;
        }
        ForEachPair(size, (batch, head) => TileAttention.Backward(size, call, batch, head, q, k, v, gradient, signed, dq, dk, dv, totals), TileProduct.Release);
    }

    private static void ForEachPair(AttentionSize size, Action<int, int> body, Action? end = null)
    {
        var pairs = size.Batch * size.Heads;
        var group = (int)Math.Max(1, FewestWork / Math.Max(1, (long)size.Queries * size.Keys * size.Size));
        KernelTeam.Run((pairs + group - 1) / group, part =>
        {
            for (var pair = part * group; pair < Math.Min(pairs, (part + 1) * group); pair++)
            {
                body(pair / size.Heads, pair % size.Heads);
            }
            end?.Invoke();
        });
    }
}

/// <summary>Where the sums over the rows of queries', keys' and values' gradients go, float32 <c>[batch, 3 * heads * size]</c>.</summary>
/// <param name="Address">First entry; 0: not wanted.</param>
/// <param name="Heads">Heads.</param>
/// <param name="Size">Entries of a row.</param>
internal readonly record struct PairSums(nint Address, int Heads, int Size)
{
    /// <summary>Sums of one pair, undefined at first; empty where they are not wanted.</summary>
    /// <param name="batch">Its batch.</param>
    /// <param name="head">Its head.</param>
    /// <param name="part">0 for queries, 1 for keys, 2 for values.</param>
    public Span<float> Of(int batch, int head, int part)
        => Address == 0 ? default : TensorMemory.Row<float>(Address, ((((3L * batch) + part) * Heads) + head) * Size, Size);
}

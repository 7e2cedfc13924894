namespace Nabla.Core.Kernels;

/// <summary>
/// Attention in bfloat16 on the processor's tiles: a (batch, head) pair is computed from its queries, keys and values to its result in one go, a
/// block of queries at a time, so that scores stay in the second-level cache, and behind the diagonal of a causal pair whole blocks are left out. What is kept for
/// the way back are the inputs and the signed weights of <see cref="AttentionKernel"/>. The arguments are those of
/// <see cref="PairAttention"/>.
/// </summary>
internal static unsafe class TileAttention
{
    private const int Block = 64; // queries of a block: its scores of 1,024 keys take 256 KiB
    private const int MostScores = 1 << 20, MostSize = 256; // of a pair: what is kept of one at a time fits the second-level cache for the most part
    private const int LeastScores = 1 << 10; // of a pair: below, packing costs more than one product of the library for all pairs

    /// <summary>Whether it can be computed here, and pays.</summary>
    public static bool Supports(AttentionSize size)
        => TileProduct.IsAvailable && size.Size <= MostSize && (long)size.Queries * size.Keys is >= LeastScores and <= MostScores;

    /// <summary>Forward of one pair.</summary>
    public static void Forward(AttentionSize s, AttentionCall call, int batch, int head, HeadRows q, HeadRows k, HeadRows v, HeadRows result, nint signed, AttentionMask added, KeyedMask? mask)
    {
        var (inner, paddedKeys) = (TileProduct.PadInner(s.Size), TileProduct.PadInner(s.Keys));
        var wide = Wide(s.Keys);
        using KernelBuffer rows = new((long)Math.Max(s.Keys, Block) * inner * sizeof(ushort)), keyPanels = new((long)TileProduct.PackedSize(s.Size, s.Keys) * sizeof(ushort));
        using KernelBuffer valuePanels = new((long)TileProduct.PackedSize(s.Keys, s.Size) * sizeof(ushort)), scores = new((long)Block * wide * sizeof(float));
        using KernelBuffer weights = new((long)Block * paddedKeys * sizeof(ushort)), outputs = new((long)Block * s.Size * sizeof(float)), kept = new((long)wide * sizeof(float));
        ushort* x = (ushort*)rows.Address, w = (ushort*)weights.Address;
        k.Gather(batch, head, 0, s.Keys, s.Size, x, inner);
        TilePacking.PanelsOfTranspose(x, s.Size, s.Keys, inner, (ushort*)keyPanels.Address);
        v.Gather(batch, head, 0, s.Keys, s.Size, x, inner);
        TilePacking.Panels(x, s.Keys, s.Size, inner, (ushort*)valuePanels.Address);
        var pair = ((long)batch * s.Heads) + head;
        for (var first = 0; first < s.Queries; first += Block)
        {
            var count = Math.Min(Block, s.Queries - first);
            var last = Seen(s, call, first + count - 1);
            q.Gather(batch, head, first, count, s.Size, x, inner);
            TileProduct.Multiply(count, Math.Min(s.Keys, Wide(last)), inner, x, inner, (ushort*)keyPanels.Address, (float*)scores.Address, wide);
            var summed = TileProduct.PadInner(last);
            for (var i = 0; i < count; i++)
            {
                var seen = Seen(s, call, first + i);
                Span<float> row = new((float*)scores.Address + ((long)i * wide), VectorRow.Padded(seen));
                row[seen..].Fill(float.NegativeInfinity);
                AttentionKernel.Softmax(row, (float)call.Scale, added.Address == 0 ? default : TensorMemory.Row<float>(added.Address, added.Start(pair, first + i), seen));
                var number = ((pair * s.Queries) + first + i) * s.Keys;
                Span<float> dropped = row;
                if (mask is { } drop)
                {
                    dropped = new(kept.Address, row.Length);
                    AttentionKernel.Drop(row, dropped, drop, (uint)number);
                }
                VectorRow.Store<ushort>(row[..seen], TensorMemory.Row<ushort>(signed, number, seen));
                Store(dropped[..seen], w + ((long)i * paddedKeys), summed);
            }
            Product(count, s.Size, summed, w, paddedKeys, (ushort*)valuePanels.Address, paddedKeys, 0, (float*)outputs.Address);
            result.Scatter(batch, head, first, count, s.Size, (float*)outputs.Address, s.Size);
        }
    }

    /// <summary>Backward of one pair.</summary>
    public static void Backward(
        AttentionSize s, AttentionCall call, int batch, int head, HeadRows q, HeadRows k, HeadRows v, HeadRows gradient, nint signed, HeadRows dq, HeadRows dk, HeadRows dv, PairSums sums)
    {
        var (inner, paddedKeys, paddedQueries) = (TileProduct.PadInner(s.Size), TileProduct.PadInner(s.Keys), TileProduct.PadInner(s.Queries));
        var wide = Wide(s.Keys);
        using KernelBuffer rows = new((long)Math.Max(s.Keys, s.Queries) * inner * sizeof(ushort)), gradientRows = new((long)s.Queries * inner * sizeof(ushort));
        using KernelBuffer valuePanels = new((long)TileProduct.PackedSize(s.Size, s.Keys) * sizeof(ushort)), keyPanels = new((long)TileProduct.PackedSize(s.Keys, s.Size) * sizeof(ushort));
        using KernelBuffer queryPanels = new((long)TileProduct.PackedSize(s.Queries, s.Size) * sizeof(ushort)), gradientPanels = new((long)TileProduct.PackedSize(s.Queries, s.Size) * sizeof(ushort));
        using KernelBuffer scores = new((long)Block * wide * sizeof(float)), outputs = new((long)Block * s.Size * sizeof(float)), row = new(2L * wide * sizeof(float));
        using KernelBuffer scoreGradients = new((long)s.Queries * paddedKeys * sizeof(ushort)), dropped = new((long)s.Queries * paddedKeys * sizeof(ushort));
        ushort* x = (ushort*)rows.Address, g = (ushort*)gradientRows.Address, ds = (ushort*)scoreGradients.Address, w = (ushort*)dropped.Address;
        var y = (float*)outputs.Address;
        v.Gather(batch, head, 0, s.Keys, s.Size, x, inner);
        TilePacking.PanelsOfTranspose(x, s.Size, s.Keys, inner, (ushort*)valuePanels.Address);
        k.Gather(batch, head, 0, s.Keys, s.Size, x, inner);
        TilePacking.Panels(x, s.Keys, s.Size, inner, (ushort*)keyPanels.Address);
        q.Gather(batch, head, 0, s.Queries, s.Size, x, inner);
        TilePacking.Panels(x, s.Queries, s.Size, inner, (ushort*)queryPanels.Address);
        gradient.Gather(batch, head, 0, s.Queries, s.Size, g, inner);
        TilePacking.Panels(g, s.Queries, s.Size, inner, (ushort*)gradientPanels.Address);
        Span<float> querySums = sums.Of(batch, head, 0), keySums = sums.Of(batch, head, 1), valueSums = sums.Of(batch, head, 2);
        querySums.Clear();
        keySums.Clear();
        valueSums.Clear();
        var pair = ((long)batch * s.Heads) + head;
        for (var first = 0; first < s.Queries; first += Block)
        {
            var count = Math.Min(Block, s.Queries - first);
            var last = Seen(s, call, first + count - 1);
            TileProduct.Multiply(count, Math.Min(s.Keys, Wide(last)), inner, g + ((long)first * inner), inner, (ushort*)valuePanels.Address, (float*)scores.Address, wide);
            for (var i = 0; i < count; i++)
            {
                var seen = Seen(s, call, first + i);
                var length = VectorRow.Padded(seen);
                Span<float> incoming = new((float*)scores.Address + ((long)i * wide), length), weights = new(row.Address, length), positive = new((float*)row.Address + wide, length);
                VectorRow.Load<ushort>(TensorMemory.Row<ushort>(signed, ((pair * s.Queries) + first + i) * s.Keys, seen), weights);
                weights[seen..].Clear();
                incoming[seen..].Clear();
                AttentionKernel.Positive(weights, positive, call.Keep);
                AttentionKernel.SoftmaxGradient(weights, incoming, call.Keep, (float)call.Scale);
                Store(positive[..seen], w + ((long)(first + i) * paddedKeys), paddedKeys);
                Store(incoming[..seen], ds + ((long)(first + i) * paddedKeys), paddedKeys);
            }
            Product(count, s.Size, TileProduct.PadInner(last), ds + ((long)first * paddedKeys), paddedKeys, (ushort*)keyPanels.Address, paddedKeys, 0, y);
            dq.Scatter(batch, head, first, count, s.Size, y, s.Size);
            AddColumns(y, count, s.Size, querySums);
        }
        using KernelBuffer transposedRows = new((long)Block * paddedQueries * sizeof(ushort));
        var transposed = (ushort*)transposedRows.Address;
        Columns(ds, (ushort*)queryPanels.Address, dk, keySums);
        Columns(w, (ushort*)gradientPanels.Address, dv, valueSums);

        // The product of a transpose: a block of columns of the matrix, which become rows, with all queries that can see one of them.
        void Columns(ushort* matrix, ushort* panels, HeadRows target, Span<float> total)
        {
            for (var first = 0; first < s.Keys; first += Block)
            {
                var count = Math.Min(Block, s.Keys - first);
                var from = call.IsCausal ? Math.Min(first, s.Queries) / TileProduct.InnerMultiple * TileProduct.InnerMultiple : 0;
                new Span<float>(y, count * s.Size).Clear();
                if (from < s.Queries)
                {
                    TilePacking.RowsOfTranspose(matrix + ((long)from * paddedKeys) + first, s.Queries - from, count, paddedKeys, transposed, paddedQueries);
                    Product(count, s.Size, paddedQueries - from, transposed, paddedQueries, panels, paddedQueries, from, y);
                }
                target.Scatter(batch, head, first, count, s.Size, y, s.Size);
                AddColumns(y, count, s.Size, total);
            }
        }
    }

    /// <summary>A product with rows <paramref name="from"/> and up, <paramref name="inner"/> of them, of a second operand packed with <paramref name="paddedInner"/>; dense result.</summary>
    private static void Product(int rows, int columns, int inner, ushort* a, int aStride, ushort* panels, int paddedInner, int from, float* result)
    {
        for (var column = 0; column < columns; column += TileProduct.PanelWidth)
        {
            var panel = panels + TileProduct.PanelOffset(paddedInner, column) + ((long)from * TileProduct.PaddedWidth(columns - column));
            TileProduct.MultiplyPanel(rows, Math.Min(TileProduct.PanelWidth, columns - column), inner, a, aStride, panel, result + column, columns);
        }
    }

    private static void Store(ReadOnlySpan<float> row, ushort* target, int padded)
    {
        VectorRow.Store(row, new Span<ushort>(target, row.Length));
        new Span<ushort>(target + row.Length, padded - row.Length).Clear();
    }

    private static void AddColumns(float* rows, int count, int size, Span<float> total)
    {
        for (var row = 0; !total.IsEmpty && row < count; row++)
        {
            VectorRow.Accumulate(new ReadOnlySpan<float>(rows + ((long)row * size), size), total);
        }
    }

    private static int Seen(AttentionSize size, AttentionCall call, int query) => call.IsCausal ? Math.Min(query + 1, size.Keys) : size.Keys;

    /// <summary>Whole panels.</summary>
    private static int Wide(int columns) => (columns + TileProduct.PanelWidth - 1) / TileProduct.PanelWidth * TileProduct.PanelWidth;
}

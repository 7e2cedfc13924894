using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// Brings matrices into the forms that <see cref="TileProduct"/> reads, rounding float32 to bfloat16 (nearest, ties to even) on the way. The
/// first operand is row by row. The second is in panels of 64 columns; a panel holds two rows side by side in one 32-bit number for each
/// column, because a tile multiplies pairs. All sizes beyond the matrix are filled up with zeros. Needs AVX-512.
/// </summary>
internal static unsafe class TilePacking
{
    private const int Block = 16; // 32-bit numbers in a vector, and the side of a block that is transposed

    /// <summary>First operand: <c>[rows, columns]</c> of float32 to bfloat16 with <paramref name="targetStride"/> entries from row to row.</summary>
    public static void Rows(float* source, int rows, int columns, int sourceStride, ushort* target, int targetStride)
        => Rows(source, rows, columns, sourceStride, target, targetStride, targetStride);

    /// <summary>As above, for some columns of the target: <paramref name="written"/> entries of each row are written, zeros from <paramref name="columns"/> on.</summary>
    public static void Rows(float* source, int rows, int columns, int sourceStride, ushort* target, int targetStride, int written)
    {
        for (var row = 0; row < rows; row++)
        {
            Row(source + ((long)row * sourceStride), columns, target + ((long)row * targetStride), written);
        }
    }

    /// <summary>Second operand from <c>[inner, columns]</c> of float32.</summary>
    public static void Panels(float* source, int inner, int columns, int sourceStride, ushort* target)
        => Panels(source, 0, inner, inner, columns, sourceStride, target, &Pairs);

    /// <summary>Second operand from <c>[inner, columns]</c> of bfloat16.</summary>
    public static void Panels(ushort* source, int inner, int columns, int sourceStride, ushort* target)
        => Panels(source, 0, inner, inner, columns, sourceStride, target, &Pairs);

    /// <summary>Some rows of a second operand from bfloat16; with the last of them the zeros that fill it up.</summary>
    /// <param name="source">The first of these rows.</param>
    /// <param name="first">Its number, even.</param>
    /// <param name="count">How many; even, unless the last is among them.</param>
    /// <param name="inner">Rows of the operand.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="sourceStride">Entries from row to row.</param>
    /// <param name="target">The whole operand.</param>
    public static void PanelRows(ushort* source, int first, int count, int inner, int columns, int sourceStride, ushort* target)
        => Panels(source, first, count, inner, columns, sourceStride, target, &Pairs);

    /// <summary>Sixteen columns of a panel from rows of float32, <c>[columns, inner]</c>; <paramref name="width"/> is that of the panel.</summary>
    [MethodImpl(Compiled.AtOnce)]
    public static void StripOfTranspose(float* source, int columns, int inner, int sourceStride, uint* panel, int width)
    {
        var padded = TileProduct.PadInner(inner);
        var strip = stackalloc ushort[Block * padded <= MostStack ? Block * padded : 0];
        using var rented = Block * padded <= MostStack ? default : new KernelBuffer(Block * padded * sizeof(ushort));
        strip = Block * padded <= MostStack ? strip : (ushort*)rented.Address;
        for (var i = 0; i < Block; i++)
        {
            Row(i < columns ? source + ((long)i * sourceStride) : null, inner, strip + (i * padded), padded);
        }
        for (var pair = 0; pair < padded / 2; pair += Block)
        {
            Transpose((uint*)strip + pair, padded / 2, panel + ((long)pair * width), width);
        }
    }

    /// <summary>Second operand from the transpose of a matrix: <c>[columns, inner]</c> of bfloat16, rows filled up with zeros to whole <see cref="TileProduct.PadInner"/>.</summary>
    public static void PanelsOfTranspose(ushort* source, int inner, int columns, int sourceStride, ushort* target)
        => PanelColumns(source, 0, columns, columns, inner, sourceStride, target);

    /// <summary>Some columns of the same.</summary>
    /// <param name="source">The first of these columns, a row of the given matrix.</param>
    /// <param name="first">Its number, a multiple of 16.</param>
    /// <param name="count">How many; a multiple of 16, unless the last is among them.</param>
    /// <param name="columns">Columns of the operand.</param>
    /// <param name="inner">Its rows.</param>
    /// <param name="sourceStride">Entries from row to row of the given matrix.</param>
    /// <param name="target">The whole operand.</param>
    public static void PanelColumns(ushort* source, int first, int count, int columns, int inner, int sourceStride, ushort* target)
    {
        var padded = TileProduct.PadInner(inner);
        var block = stackalloc uint[Block * Block];
        for (var column = first; column < first + count; column += Block, source += (long)Block * sourceStride)
        {
            var start = column / TileProduct.PanelWidth * TileProduct.PanelWidth;
            var width = TileProduct.PaddedWidth(columns - start);
            var panel = (uint*)(target + TileProduct.PanelOffset(padded, start)) + (column - start);
            var taken = Math.Min(Block, columns - column);
            for (var pair = 0; pair < padded / 2; pair += Block)
            {
                var rows = (uint*)source + pair;
                if (taken == Block)
                {
                    Transpose(rows, sourceStride / 2, panel + ((long)pair * width), width);
                    continue;
                }
                new Span<uint>(block, Block * Block).Clear();
                for (var i = 0; i < taken; i++)
                {
                    Vector512.Load(rows + ((long)i * (sourceStride / 2))).Store(block + (i * Block));
                }
                Transpose(block, Block, panel + ((long)pair * width), width);
            }
        }
    }

    /// <summary>First operand from the transpose of a matrix <c>[inner, rows]</c> of float32; the result has <c>PadInner(inner)</c> entries a row, <paramref name="targetStride"/> apart.</summary>
    public static void RowsOfTranspose(float* source, int inner, int rows, int sourceStride, ushort* target, int targetStride)
        => RowsOfTranspose(source, inner, rows, sourceStride, target, targetStride, &Pairs);

    /// <summary>As above from bfloat16.</summary>
    public static void RowsOfTranspose(ushort* source, int inner, int rows, int sourceStride, ushort* target, int targetStride)
        => RowsOfTranspose(source, inner, rows, sourceStride, target, targetStride, &Pairs);

    [MethodImpl(Compiled.AtOnce)]
    private static void RowsOfTranspose<T>(T* source, int inner, int rows, int sourceStride, ushort* target, int targetStride, delegate*<T*, T*, int, int, uint*, void> pairs)
        where T : unmanaged
    {
        var padded = TileProduct.PadInner(inner);
        var block = stackalloc uint[Block * Block];
        var result = stackalloc uint[Block * Block];
        for (var row = 0; row < rows; row += Block)
        {
            var count = Math.Min(Block, rows - row);
            for (var start = 0; start < padded; start += 2 * Block)
            {
                for (var pair = 0; pair < Block; pair++)
                {
                    var (one, two) = (start + (2 * pair), start + (2 * pair) + 1);
                    pairs(one < inner ? source + ((long)one * sourceStride) + row : null, two < inner ? source + ((long)two * sourceStride) + row : null, count, Block, block + (pair * Block));
                }
                var place = (uint*)(target + ((long)row * targetStride) + start);
                if (count == Block)
                {
                    Transpose(block, Block, place, targetStride / 2);
                    continue;
                }
                Transpose(block, Block, result, Block);
                for (var i = 0; i < count; i++)
                {
                    Vector512.Load(result + (i * Block)).Store(place + ((long)i * (targetStride / 2)));
                }
            }
        }
    }

    /// <summary>Rows of a panel from rows of bfloat16 that lie anywhere; null is a row of zeros.</summary>
    /// <param name="rows">Where the rows begin.</param>
    /// <param name="inner">How many, even.</param>
    /// <param name="column">First column.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="width">Width of the panel.</param>
    /// <param name="target">Where the rows of the panel go.</param>
    [MethodImpl(Compiled.AtOnce)]
    public static void PairsOf(ushort** rows, int inner, int column, int columns, int width, uint* target)
    {
        var empty = stackalloc ushort[TileProduct.PanelWidth];
        new Span<ushort>(empty, TileProduct.PanelWidth).Clear();
        var (low, high) = (Interleaved(0), Interleaved(Block));
        for (var row = 0; row < inner; row += 2, target += width)
        {
            var first = rows[row] is null ? empty : rows[row] + column;
            var second = rows[row + 1] is null ? empty : rows[row + 1] + column;
            var i = 0;
            for (; i <= columns - (2 * Block); i += 2 * Block)
            {
                var (a, b) = (Vector512.Load(first + i), Vector512.Load(second + i));
                Avx512BW.PermuteVar32x16x2(a, low, b).AsUInt32().Store(target + i);
                Avx512BW.PermuteVar32x16x2(a, high, b).AsUInt32().Store(target + i + Block);
            }
            if (i < width)
            {
                Pairs(first + i, second + i, columns - i, width - i, target + i);
            }
        }
    }

    /// <summary>Entries from one on of two vectors of 32 by turns: those of the second have numbers from 32 on.</summary>
    private static Vector512<ushort> Interleaved(int from)
    {
        var places = stackalloc ushort[2 * Block];
        for (var i = 0; i < Block; i++)
        {
            (places[2 * i], places[(2 * i) + 1]) = ((ushort)(from + i), (ushort)(from + i + (2 * Block)));
        }
        return Vector512.Load(places);
    }

    /// <summary>32 entries of up to 16 rows of a first operand from 32 rows of its transpose that lie anywhere; null is a row of zeros.</summary>
    /// <param name="rows">Where the rows of the transpose begin.</param>
    /// <param name="column">First column of it.</param>
    /// <param name="columns">Columns, at most 16.</param>
    /// <param name="target">Where the entries of the first row go.</param>
    /// <param name="targetStride">Entries from row to row.</param>
    [MethodImpl(Compiled.AtOnce)]
    public static void RowsOfTranspose(ushort** rows, int column, int columns, ushort* target, int targetStride)
    {
        var block = stackalloc uint[Block * Block];
        if (columns == Block)
        {
            for (var pair = 0; pair < Block; pair++)
            {
                var first = rows[2 * pair];
                var second = rows[(2 * pair) + 1];
                var low = first is null ? Vector512<uint>.Zero : Avx512F.ConvertToVector512UInt32(Vector256.Load(first + column));
                var high = second is null ? Vector512<uint>.Zero : Avx512F.ConvertToVector512UInt32(Vector256.Load(second + column));
                (low | (high << 16)).Store(block + (pair * Block));
            }
            Transpose(block, Block, (uint*)target, targetStride / 2);
            return;
        }
        for (var pair = 0; pair < Block; pair++)
        {
            Pairs(At(rows[2 * pair], column), At(rows[(2 * pair) + 1], column), columns, Block, block + (pair * Block));
        }
        var result = stackalloc uint[Block * Block];
        Transpose(block, Block, result, Block);
        for (var i = 0; i < columns; i++)
        {
            Vector512.Load(result + (i * Block)).Store((uint*)(target + ((long)i * targetStride)));
        }
    }

    private static ushort* At(ushort* row, int column) => row is null ? null : row + column;

    private const int MostStack = 1 << 14;

    /// <summary>Second operand from rows of any type; <paramref name="pairs"/> packs two of them side by side, null being a row of zeros.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Panels<T>(T* source, int first, int count, int inner, int columns, int sourceStride, ushort* target, delegate*<T*, T*, int, int, uint*, void> pairs)
        where T : unmanaged
    {
        var (padded, rows) = (TileProduct.PadInner(inner), Math.Min(inner - first, count));
        var end = first + rows == inner ? padded : first + rows;
        for (var column = 0; column < columns; column += TileProduct.PanelWidth)
        {
            var (taken, width) = (Math.Min(TileProduct.PanelWidth, columns - column), TileProduct.PaddedWidth(columns - column));
            var panel = (uint*)(target + TileProduct.PanelOffset(padded, column)) + ((long)first / 2 * width);
            for (var row = 0; row < end - first; row += 2, panel += width)
            {
                var one = row < rows ? source + ((long)row * sourceStride) + column : null;
                var two = row + 1 < rows ? source + ((long)(row + 1) * sourceStride) + column : null;
                pairs(one, two, taken, width, panel);
            }
        }
    }

    /// <summary>A row of float32 (null: zeros) as bfloat16, with zeros up to <paramref name="padded"/>.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Row(float* source, int count, ushort* target, int padded)
    {
        var i = 0;
        if (source is not null)
        {
            for (; i <= count - (2 * Block); i += 2 * Block)
            {
                Vector512.Narrow(Round(Vector512.Load(source + i)), Round(Vector512.Load(source + i + Block))).Store(target + i);
            }
            for (; i < count; i++)
            {
                target[i] = Round(source[i]);
            }
        }
        for (; i < padded; i++)
        {
            target[i] = 0;
        }
    }

    /// <summary>Two rows of float32 (null: zeros) side by side.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Pairs(float* first, float* second, int count, int padded, uint* target)
    {
        var i = 0;
        for (; i <= count - Block; i += Block)
        {
            var low = first is null ? Vector512<uint>.Zero : Round(Vector512.Load(first + i));
            var high = second is null ? Vector512<uint>.Zero : Round(Vector512.Load(second + i));
            (low | (high << 16)).Store(target + i);
        }
        for (; i < padded; i++)
        {
            var low = i < count && first is not null ? Round(first[i]) : 0u;
            var high = i < count && second is not null ? Round(second[i]) : 0u;
            target[i] = low | (high << 16);
        }
    }

    /// <summary>Two rows of bfloat16 (null: zeros) side by side.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Pairs(ushort* first, ushort* second, int count, int padded, uint* target)
    {
        var i = 0;
        for (; i <= count - Block; i += Block)
        {
            var low = first is null ? Vector512<uint>.Zero : Avx512F.ConvertToVector512UInt32(Vector256.Load(first + i));
            var high = second is null ? Vector512<uint>.Zero : Avx512F.ConvertToVector512UInt32(Vector256.Load(second + i));
            (low | (high << 16)).Store(target + i);
        }
        for (; i < padded; i++)
        {
            var low = i < count && first is not null ? first[i] : 0u;
            var high = i < count && second is not null ? second[i] : 0u;
            target[i] = low | (high << 16);
        }
    }

    /// <summary>The nearest bfloat16 in the low half of each number; NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<uint> Round(Vector512<float> value)
    {
        var bits = value.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >>> 16) & Vector512<uint>.One)) >>> 16;
        return Vector512.ConditionalSelect(Vector512.Equals(value, value).AsUInt32(), rounded, Vector512.Create(0x7FC0u));
    }

    /// <summary>The nearest bfloat16; NaN stays NaN.</summary>
    internal static ushort Round(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7FC0 : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    /// <summary>Transposes 16 x 16 numbers: pairs, then pairs of pairs, then 128-bit lanes.</summary>
    [MethodImpl(Compiled.AtOnce)]
    internal static void Transpose(uint* source, int sourceStride, uint* target, int targetStride)
    {
        for (var k = 0; k < 4; k++) // the column of each lane of four that this round writes
        {
            var (g0, g1) = (Lane(source, sourceStride, 0, k), Lane(source, sourceStride, 4, k));
            var (g2, g3) = (Lane(source, sourceStride, 8, k), Lane(source, sourceStride, 12, k));
            var (a, b) = (Avx512F.Shuffle4x128(g0, g1, 0x44), Avx512F.Shuffle4x128(g0, g1, 0xEE));
            var (c, d) = (Avx512F.Shuffle4x128(g2, g3, 0x44), Avx512F.Shuffle4x128(g2, g3, 0xEE));
            Avx512F.Shuffle4x128(a, c, 0x88).Store(target + ((long)k * targetStride));
            Avx512F.Shuffle4x128(a, c, 0xDD).Store(target + ((long)(k + 4) * targetStride));
            Avx512F.Shuffle4x128(b, d, 0x88).Store(target + ((long)(k + 8) * targetStride));
            Avx512F.Shuffle4x128(b, d, 0xDD).Store(target + ((long)(k + 12) * targetStride));
        }
    }

    /// <summary>Column 4 L + k of four rows in each 128-bit lane L.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Lane(uint* source, int stride, int row, int k)
    {
        var (r0, r1) = (Vector512.Load(source + ((long)row * stride)), Vector512.Load(source + ((long)(row + 1) * stride)));
        var (r2, r3) = (Vector512.Load(source + ((long)(row + 2) * stride)), Vector512.Load(source + ((long)(row + 3) * stride)));
        var (low, high) = k < 2
            ? (Avx512F.UnpackLow(r0, r1).AsUInt64(), Avx512F.UnpackLow(r2, r3).AsUInt64())
            : (Avx512F.UnpackHigh(r0, r1).AsUInt64(), Avx512F.UnpackHigh(r2, r3).AsUInt64());
        return (k % 2 == 0 ? Avx512F.UnpackLow(low, high) : Avx512F.UnpackHigh(low, high)).AsUInt32();
    }
}

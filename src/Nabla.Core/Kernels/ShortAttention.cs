using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// Attention in bfloat16 for pairs so short that their matrices fit the first-level cache, products on vectors of 512 bits with all sums in float32: what a product on tiles would take to
/// pack is as much work as the products themselves. A pair goes from its queries, keys and values to its result in one go; what is kept for the
/// way back are the inputs and the signed weights of <see cref="AttentionKernel"/>, rows of them filled up to whole vectors.
/// </summary>
internal static unsafe class ShortAttention
{
    private const int Lanes = 16;
    private const int MostKeys = 64, MostSize = 128;
    private const int MostScores = 1 << 10; // of a pair: above, the tiles are faster

    /// <summary>Whether it can be computed here, and pays.</summary>
    public static bool Supports(AttentionSize size)
        => Avx512F.IsSupported && size.Keys <= MostKeys && size.Size <= MostSize && (long)size.Queries * size.Keys < MostScores;

    /// <summary>Keys filled up to whole vectors: the length of a row of kept weights.</summary>
    public static int Padded(int length) => (length + Lanes - 1) / Lanes * Lanes;

    /// <summary>Forward of one pair; the arguments are those of <see cref="PairAttention.Forward"/>.</summary>
    public static void Forward(AttentionSize s, AttentionCall call, int batch, int head, HeadRows q, HeadRows k, HeadRows v, HeadRows result, ushort* signed, AttentionMask added, KeyedMask? mask)
    {
        var (size, keys) = (Padded(s.Size), Padded(s.Keys));
        using var buffer = new KernelBuffer(((2L * (s.Queries + keys) * size) + ((s.Queries + 1L) * keys)) * sizeof(float));
        var queries = (float*)buffer.Address;
        var rows = queries + (s.Queries * size);       // [keys, size]: the keys, then the values
        var transposed = rows + (keys * size);         // [size, keys]
        var weights = transposed + (size * keys);      // [queries, keys]
        var output = weights + (s.Queries * keys);     // [queries, size]
        var signedRow = output + (s.Queries * size);   // [keys]: a row of signed weights
        Load(q, batch, head, s.Queries, s.Size, queries);
        Load(k, batch, head, s.Keys, s.Size, rows);
        Transpose(rows, s.Keys, size, transposed, keys);
        Multiply(s.Queries, s.Size, queries, size, 1, transposed, keys, weights);
        Load(v, batch, head, s.Keys, s.Size, rows);
        var pair = ((long)batch * s.Heads) + head;
        for (var i = 0; i < s.Queries; i++)
        {
            var seen = call.IsCausal ? Math.Min(i + 1, s.Keys) : s.Keys;
            Span<float> row = new(weights + (i * keys), keys), kept = new(signedRow, keys);
            row[seen..].Fill(float.NegativeInfinity);
            AttentionKernel.Softmax(row, (float)call.Scale, added.Address == 0 ? default : TensorMemory.Row<float>(added.Address, added.Start(pair, i), seen));
            var number = (pair * s.Queries) + i;
            row.CopyTo(kept);
            if (mask is { } drop)
            {
                AttentionKernel.Drop(kept, row, drop, (uint)(number * s.Keys));
            }
            VectorRow.Store(kept, new Span<ushort>(signed + (number * keys), keys));
        }
        Multiply(s.Queries, s.Keys, weights, keys, 1, rows, size, output);
        Store(output, result, batch, head, s.Queries, s.Size, default);
    }

    /// <summary>Backward of one pair; the arguments are those of <see cref="PairAttention.Backward"/>.</summary>
    public static void Backward(
        AttentionSize s, AttentionCall call, int batch, int head, HeadRows q, HeadRows k, HeadRows v, HeadRows gradient, ushort* signed, HeadRows dq, HeadRows dk, HeadRows dv, PairSums sums)
    {
        var (size, keys) = (Padded(s.Size), Padded(s.Keys));
        var rowCount = Math.Max(s.Queries, keys);
        using var buffer = new KernelBuffer(((((3L * rowCount) + keys) * size) + (((2L * s.Queries) + 1) * keys)) * sizeof(float));
        var incoming = (float*)buffer.Address;         // [queries, size]
        var rows = incoming + (rowCount * size);       // [keys or queries, size]: the values, then keys, then queries
        var output = rows + (rowCount * size);         // [keys or queries, size]
        var transposed = output + (rowCount * size);   // [size, keys]
        var weights = transposed + (size * keys);      // [queries, keys]: what multiplied the values
        var slopes = weights + (s.Queries * keys);     // [queries, keys]: gradient of the scores
        var signedRow = slopes + (s.Queries * keys);   // [keys]: a row of signed weights
        Load(gradient, batch, head, s.Queries, s.Size, incoming);
        Load(v, batch, head, s.Keys, s.Size, rows);
        Transpose(rows, s.Keys, size, transposed, keys);
        Multiply(s.Queries, s.Size, incoming, size, 1, transposed, keys, slopes);
        var pair = ((long)batch * s.Heads) + head;
        for (var i = 0; i < s.Queries; i++)
        {
            Span<float> kept = new(signedRow, keys);
            VectorRow.Load(new ReadOnlySpan<ushort>(signed + (((pair * s.Queries) + i) * keys), keys), kept);
            AttentionKernel.Positive(kept, new(weights + (i * keys), keys), call.Keep);
            AttentionKernel.SoftmaxGradient(kept, new(slopes + (i * keys), keys), call.Keep, (float)call.Scale);
        }
        Multiply(s.Keys, s.Queries, weights, 1, keys, incoming, size, output);
        Store(output, dv, batch, head, s.Keys, s.Size, sums.Of(batch, head, 2));
        Load(k, batch, head, s.Keys, s.Size, rows);
        Multiply(s.Queries, s.Keys, slopes, keys, 1, rows, size, output);
        Store(output, dq, batch, head, s.Queries, s.Size, sums.Of(batch, head, 0));
        Load(q, batch, head, s.Queries, s.Size, rows);
        Multiply(s.Keys, s.Queries, slopes, 1, keys, rows, size, output);
        Store(output, dk, batch, head, s.Keys, s.Size, sums.Of(batch, head, 1));
    }

    /// <summary>Rows of a head as float32, bias included, filled up with zeros to whole vectors.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Load(HeadRows source, int batch, int head, int count, int size, float* target)
    {
        var from = source.Start(batch, head);
        var bias = source.Bias == 0 ? null : (float*)source.Bias + ((long)head * size);
        for (var row = 0; row < count; row++, from += source.RowStride)
        {
            var i = 0;
            for (; i <= size - Lanes; i += Lanes, target += Lanes)
            {
                var values = (Avx512F.ConvertToVector512UInt32(Vector256.Load(from + i)) << 16).AsSingle();
                (bias is null ? values : values + Vector512.Load(bias + i)).Store(target);
            }
            if (i < size)
            {
                Vector512<float>.Zero.Store(target);
                for (var lane = 0; i < size; i++, lane++)
                {
                    target[lane] = BitConverter.UInt32BitsToSingle((uint)from[i] << 16) + (bias is null ? 0 : bias[i]);
                }
                target += Lanes;
            }
        }
    }

    /// <summary>Float32 rows of a head as bfloat16; their sum over the rows, if it is wanted.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Store(float* source, HeadRows target, int batch, int head, int count, int size, Span<float> sums)
    {
        var to = target.Start(batch, head);
        var stride = Padded(size);
        for (var row = 0; row < count; row++, to += target.RowStride)
        {
            var values = source + ((long)row * stride);
            var i = 0;
            for (; i <= size - Lanes; i += Lanes)
            {
                Avx512F.ConvertToVector256UInt16(TilePacking.Round(Vector512.Load(values + i))).Store(to + i);
            }
            for (; i < size; i++)
            {
                to[i] = TilePacking.Round(values[i]);
            }
        }
        for (var column = 0; column < sums.Length; column += Lanes)
        {
            var sum = Vector512<float>.Zero;
            for (var row = 0; row < count; row++)
            {
                sum += Vector512.Load(source + ((long)row * stride) + column);
            }
            for (var lane = 0; lane < Math.Min(Lanes, sums.Length - column); lane++)
            {
                sums[column + lane] = sum[lane];
            }
        }
    }

    /// <summary><c>[count, size] -> [size, stride]</c>, with zeros behind the columns.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Transpose(float* rows, int count, int size, float* target, int stride)
    {
        new Span<float>(rows + ((long)count * size), (stride - count) * size).Clear();
        for (var row = 0; row < stride; row += Lanes)
        {
            for (var column = 0; column < size; column += Lanes)
            {
                TilePacking.Transpose((uint*)rows + ((long)row * size) + column, size, (uint*)target + ((long)column * stride) + row, stride);
            }
        }
    }

    /// <summary><c>c[rows, width] = a[rows, inner] b[inner, width]</c> with a of any strides, b and c dense, and width whole vectors.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Multiply(int rows, int inner, float* a, long rowStride, long innerStride, float* b, int width, float* c)
    {
        for (var column = 0; column < width; column += 2 * Lanes)
        {
            var isPair = column + Lanes < width;
            var row = 0;
            for (; row <= rows - 4; row += 4)
            {
                if (isPair)
                {
                    Four(inner, a + (row * rowStride), rowStride, innerStride, b + column, width, c + ((long)row * width) + column);
                }
                else
                {
                    FourNarrow(inner, a + (row * rowStride), rowStride, innerStride, b + column, width, c + ((long)row * width) + column);
                }
            }
            for (; row < rows; row++)
            {
                One(inner, a + (row * rowStride), innerStride, b + column, width, c + ((long)row * width) + column, isPair);
            }
        }
    }

    /// <summary>Four rows by two vectors: eight sums, as many as keep both units busy.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Four(int inner, float* a, long rowStride, long innerStride, float* b, int width, float* c)
    {
        var (s00, s01, s10, s11) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        var (s20, s21, s30, s31) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < inner; i++, a += innerStride, b += width)
        {
            var (b0, b1) = (Vector512.Load(b), Vector512.Load(b + Lanes));
            var x = Vector512.Create(*a);
            (s00, s01) = (Avx512F.FusedMultiplyAdd(x, b0, s00), Avx512F.FusedMultiplyAdd(x, b1, s01));
            x = Vector512.Create(a[rowStride]);
            (s10, s11) = (Avx512F.FusedMultiplyAdd(x, b0, s10), Avx512F.FusedMultiplyAdd(x, b1, s11));
            x = Vector512.Create(a[2 * rowStride]);
            (s20, s21) = (Avx512F.FusedMultiplyAdd(x, b0, s20), Avx512F.FusedMultiplyAdd(x, b1, s21));
            x = Vector512.Create(a[3 * rowStride]);
            (s30, s31) = (Avx512F.FusedMultiplyAdd(x, b0, s30), Avx512F.FusedMultiplyAdd(x, b1, s31));
        }
        s00.Store(c);
        s01.Store(c + Lanes);
        s10.Store(c + width);
        s11.Store(c + width + Lanes);
        s20.Store(c + (2 * width));
        s21.Store(c + (2 * width) + Lanes);
        s30.Store(c + (3 * width));
        s31.Store(c + (3 * width) + Lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FourNarrow(int inner, float* a, long rowStride, long innerStride, float* b, int width, float* c)
    {
        var (s0, s1, s2, s3) = (Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < inner; i++, a += innerStride, b += width)
        {
            var x = Vector512.Load(b);
            s0 = Avx512F.FusedMultiplyAdd(Vector512.Create(*a), x, s0);
            s1 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[rowStride]), x, s1);
            s2 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[2 * rowStride]), x, s2);
            s3 = Avx512F.FusedMultiplyAdd(Vector512.Create(a[3 * rowStride]), x, s3);
        }
        s0.Store(c);
        s1.Store(c + width);
        s2.Store(c + (2 * width));
        s3.Store(c + (3 * width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void One(int inner, float* a, long innerStride, float* b, int width, float* c, bool isPair)
    {
        var (s0, s1) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < inner; i++, a += innerStride, b += width)
        {
            var x = Vector512.Create(*a);
            s0 = Avx512F.FusedMultiplyAdd(x, Vector512.Load(b), s0);
            s1 = isPair ? Avx512F.FusedMultiplyAdd(x, Vector512.Load(b + Lanes), s1) : s1;
        }
        s0.Store(c);
        if (isPair)
        {
            s1.Store(c + Lanes);
        }
    }
}

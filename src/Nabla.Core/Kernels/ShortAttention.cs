using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// Attention in bfloat16 for pairs so short that their matrices fit the first-level cache, on vectors of 512 bits with all sums in float32: what a product on tiles would take to
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
        var extra = output + (s.Queries * size);       // [keys]
        Load(q, batch, head, s.Queries, s.Size, queries);
        Load(k, batch, head, s.Keys, s.Size, rows);
        Transpose(rows, s.Keys, size, transposed, keys);
        Multiply(s.Queries, s.Size, queries, size, 1, transposed, keys, weights);
        Load(v, batch, head, s.Keys, s.Size, rows);
        var pair = ((long)batch * s.Heads) + head;
        var shift = added.Address == 0 ? null : extra;
        for (var i = 0; i < s.Queries; i++)
        {
            if (shift is not null && (i == 0 || added.QueryStride != 0))
            {
                NativeMemory.Copy((float*)added.Address + added.Start(pair, i), shift, (nuint)s.Keys * sizeof(float));
            }
            var number = ((pair * s.Queries) + i) * s.Keys;
            Weigh(weights + (i * keys), shift, call.IsCausal ? Math.Min(i + 1, s.Keys) : s.Keys, keys, (float)call.Scale, mask, (uint)number, signed + (((pair * s.Queries) + i) * keys));
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
        using var buffer = new KernelBuffer((((3L * rowCount) + keys) * size + (2L * s.Queries * keys)) * sizeof(float));
        var incoming = (float*)buffer.Address;         // [queries, size]
        var rows = incoming + (rowCount * size);       // [keys or queries, size]: the values, then keys, then queries
        var output = rows + (rowCount * size);         // [keys or queries, size]
        var transposed = output + (rowCount * size);   // [size, keys]
        var weights = transposed + (size * keys);      // [queries, keys]: what multiplied the values
        var slopes = weights + (s.Queries * keys);     // [queries, keys]: gradient of the scores
        Load(gradient, batch, head, s.Queries, s.Size, incoming);
        Load(v, batch, head, s.Keys, s.Size, rows);
        Transpose(rows, s.Keys, size, transposed, keys);
        Multiply(s.Queries, s.Size, incoming, size, 1, transposed, keys, slopes);
        var pair = ((long)batch * s.Heads) + head;
        for (var i = 0; i < s.Queries; i++)
        {
            Slopes(signed + (((pair * s.Queries) + i) * keys), weights + (i * keys), slopes + (i * keys), keys, call.Keep, (float)call.Scale);
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

    /// <summary>
    /// Overwrites a row of scores by what multiplies the values: softmax of the scaled and shifted ones, then dropout; a row that sees nothing becomes 0. The weights go to
    /// <paramref name="signed"/>, those that dropout takes with a minus sign.
    /// </summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Weigh(float* row, float* added, int seen, int length, float scale, KeyedMask? mask, uint number, ushort* signed)
    {
        var lowest = Vector512.Create(float.NegativeInfinity);
        var (top, factor) = (lowest, Vector512.Create(scale));
        var hasNaN = Vector512<float>.Zero; // NaN where there was one
        for (var i = 0; i < length; i += Lanes)
        {
            var value = Vector512.Load(row + i) * factor;
            value = added is null ? value : value + Vector512.Load(added + i);
            value = Vector512.ConditionalSelect(Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(seen - i)).AsSingle(), value, lowest);
            value.Store(row + i);
            top = Vector512.ConditionalSelect(Vector512.GreaterThan(value, top), value, top);
            hasNaN = Vector512.ConditionalSelect(Vector512.Equals(value, value), hasNaN, value);
        }
        var largest = Largest(top);
        if (float.IsNegativeInfinity(largest) && Vector512.EqualsAll(hasNaN, hasNaN))
        {
            for (var i = 0; i < length; i += Lanes)
            {
                Vector512<float>.Zero.Store(row + i); // a query that sees nothing
                Vector256<ushort>.Zero.Store(signed + i);
            }
            return;
        }
        var (sum, shift) = (Vector512<float>.Zero, Vector512.Create(largest));
        for (var i = 0; i < length; i += Lanes)
        {
            var power = Exp(Vector512.Load(row + i) - shift);
            power.Store(row + i);
            sum += power;
        }
        var inverse = Vector512.Create(1 / Vector512.Sum(sum));
        var (drop, keep) = (mask.GetValueOrDefault(), Vector512.Create(mask.GetValueOrDefault().Keep));
        for (var i = 0; i < length; i += Lanes)
        {
            var weight = Vector512.Load(row + i) * inverse;
            if (mask is not null)
            {
                var kept = drop.KeptWide(number + (uint)i).AsSingle();
                Vector512.ConditionalSelect(kept, weight * keep, Vector512<float>.Zero).Store(row + i);
                weight = Vector512.ConditionalSelect(kept, weight, -weight);
            }
            else
            {
                weight.Store(row + i);
            }
            Avx512F.ConvertToVector256UInt16(TilePacking.Round(weight)).Store(signed + i);
        }
    }

    /// <summary>
    /// From signed weights and the gradient of what multiplied the values (in <paramref name="slopes"/>): what multiplied the values, and the gradient of the scores,
    /// <c>p (g - sum(p g)) scale</c>.
    /// </summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Slopes(ushort* signed, float* weights, float* slopes, int length, float keep, float scale)
    {
        var (sum, factor) = (Vector512<float>.Zero, Vector512.Create(keep));
        for (var i = 0; i < length; i += Lanes)
        {
            var weight = (Avx512F.ConvertToVector512UInt32(Vector256.Load(signed + i)) << 16).AsSingle();
            var isDropped = Vector512.LessThan(weight, Vector512<float>.Zero);
            var incoming = Vector512.ConditionalSelect(isDropped, Vector512<float>.Zero, Vector512.Load(slopes + i) * factor);
            sum = Avx512F.FusedMultiplyAdd(Vector512.Abs(weight), incoming, sum);
            Vector512.ConditionalSelect(isDropped, Vector512<float>.Zero, weight * factor).Store(weights + i);
            incoming.Store(slopes + i);
        }
        var (mean, outer) = (Vector512.Create(Vector512.Sum(sum)), Vector512.Create(scale));
        for (var i = 0; i < length; i += Lanes)
        {
            var weight = Vector512.Abs((Avx512F.ConvertToVector512UInt32(Vector256.Load(signed + i)) << 16).AsSingle());
            (weight * (Vector512.Load(slopes + i) - mean) * outer).Store(slopes + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Largest(Vector512<float> values)
    {
        var half = Vector256.Max(values.GetLower(), values.GetUpper()); // none is NaN
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        return Math.Max(Math.Max(quarter[0], quarter[1]), Math.Max(quarter[2], quarter[3]));
    }

    /// <summary>e to the power x, for x of at most 0, minus infinity or NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
        => Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512.Create(-87.3f)), Vector512<float>.Zero, VectorRow.Exp(x)); // minus infinity would give NaN
}

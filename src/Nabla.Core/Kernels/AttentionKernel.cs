using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>Where the rows of an added mask lie: entry (batch, head, query) begins at the sum of place times stride; 0 where an axis is shared.</summary>
/// <param name="Address">Float32, 0: none.</param>
/// <param name="Heads">Heads of the scores.</param>
/// <param name="BatchStride">Between batches.</param>
/// <param name="HeadStride">Between heads.</param>
/// <param name="QueryStride">Between queries.</param>
internal readonly record struct AttentionMask(nint Address, long Heads, long BatchStride, long HeadStride, long QueryStride)
{
    /// <summary>First entry for a query of a (batch, head) pair.</summary>
    public long Start(long pair, long query) => (pair / Heads * BatchStride) + (pair % Heads * HeadStride) + (query * QueryStride);
}

/// <summary>
/// What lies between the two matrix products of attention, one row of scores at a time: scale, mask, softmax, dropout. A weight that dropout takes
/// is kept with a minus sign, so one matrix holds weights and mask for the backward pass.
/// </summary>
internal static class AttentionKernel
{
    /// <summary>
    /// Overwrites scores by signed weights, and writes what multiplies the values into <paramref name="dropped"/> (0 without dropout: the weights do).
    /// </summary>
    public static void Forward<T>(nint scores, nint dropped, long pairs, int queries, int keys, float scale, bool isCausal, AttentionMask added, KeyedMask? mask)
        where T : unmanaged
        => KernelLoop.Run(pairs * queries, keys, (_, from, to) =>
        {
            var padded = VectorRow.Padded(keys);
            var buffer = ArrayPool<float>.Shared.Rent(2 * padded);
            for (var r = from; r < to; r++)
            {
                var (pair, query) = (r / queries, r % queries);
                var seen = isCausal ? Math.Min(query + 1, keys) : keys;
                var length = VectorRow.Padded(seen);
                var row = buffer.AsSpan(0, length);
                var result = buffer.AsSpan(padded, length);
                var start = (long)r * keys;
                var target = TensorMemory.Row<T>(scores, start, keys);
                VectorRow.Load<T>(target[..seen], row);
                row[seen..].Fill(float.NegativeInfinity);
                var extra = added.Address == 0 ? default : TensorMemory.Row<float>(added.Address, added.Start(pair, query), seen);
                Softmax(row, scale, extra);
                if (mask is { } drop)
                {
                    Drop(row, result, drop, (uint)start);
                    var output = TensorMemory.Row<T>(dropped, start, keys);
                    VectorRow.Store<T>(result[..seen], output);
                    output[seen..].Clear();
                }
                VectorRow.Store<T>(row[..seen], target);
                target[seen..].Clear();
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>
    /// Overwrites the gradient of what multiplied the values by the gradient of the scores, <c>p (g - sum(p g)) scale</c>, and makes again what
    /// multiplied the values (0: not wanted, the weights did).
    /// </summary>
    public static void Backward<T>(nint signed, nint gradient, nint dropped, long pairs, int queries, int keys, float scale, bool isCausal, float keep)
        where T : unmanaged
        => KernelLoop.Run(pairs * queries, keys, (_, from, to) =>
        {
            var padded = VectorRow.Padded(keys);
            var buffer = ArrayPool<float>.Shared.Rent(3 * padded);
            for (var r = from; r < to; r++)
            {
                var seen = isCausal ? Math.Min((r % queries) + 1, keys) : keys;
                var length = VectorRow.Padded(seen);
                var weights = buffer.AsSpan(0, length);
                var row = buffer.AsSpan(padded, length);
                var target = TensorMemory.Row<T>(gradient, (long)r * keys, keys);
                VectorRow.Load<T>(TensorMemory.Row<T>(signed, (long)r * keys, seen), weights);
                VectorRow.Load<T>(target[..seen], row);
                weights[seen..].Clear();
                row[seen..].Clear();
                if (dropped != 0)
                {
                    var result = buffer.AsSpan(2 * padded, length);
                    Positive(weights, result, keep);
                    var output = TensorMemory.Row<T>(dropped, (long)r * keys, keys);
                    VectorRow.Store<T>(result[..seen], output);
                    output[seen..].Clear();
                }
                SoftmaxGradient(weights, row, keep, scale);
                VectorRow.Store<T>(row[..seen], target);
                target[seen..].Clear();
            }
            ArrayPool<float>.Shared.Return(buffer);
        });

    /// <summary>Overwrites scores, whole vectors of them, by their softmax after scaling and adding; a row that sees nothing becomes 0.</summary>
    public static void Softmax(Span<float> row, float scale, ReadOnlySpan<float> added)
    {
        ref var x = ref MemoryMarshal.GetReference(row);
        var (factor, largest) = (new Vector<float>(scale), new Vector<float>(float.NegativeInfinity));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var value = Vector.LoadUnsafe(ref x, i) * factor;
            value.StoreUnsafe(ref x, i);
            largest = Vector.ConditionalSelect(Vector.GreaterThan(value, largest), value, largest);
        }
        if (!added.IsEmpty)
        {
            VectorRow.Accumulate(added, row);
            largest = new(float.NegativeInfinity);
            for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
            {
                largest = Vector.ConditionalSelect(Vector.GreaterThan(Vector.LoadUnsafe(ref x, i), largest), Vector.LoadUnsafe(ref x, i), largest);
            }
        }
        var top = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
        {
            top = Math.Max(top, largest[lane]);
        }
        if (float.IsNegativeInfinity(top) && !HasNaN(row))
        {
            row.Clear(); // a query that sees nothing
            return;
        }
        var (sum, shift) = (Vector<float>.Zero, new Vector<float>(top));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            var power = VectorRow.Exp(Vector.LoadUnsafe(ref x, i) - shift);
            power.StoreUnsafe(ref x, i);
            sum += power;
        }
        var inverse = new Vector<float>(1 / Vector.Sum(sum));
        for (nuint i = 0; i < (nuint)row.Length; i += (nuint)Vector<float>.Count)
        {
            (Vector.LoadUnsafe(ref x, i) * inverse).StoreUnsafe(ref x, i);
        }
    }

    private static bool HasNaN(ReadOnlySpan<float> row)
    {
        foreach (var value in row)
        {
            if (float.IsNaN(value))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Dropout: <paramref name="result"/> takes the weights that stay, larger; in <paramref name="weights"/> the others get a minus sign.</summary>
    public static void Drop(Span<float> weights, Span<float> result, KeyedMask drop, uint number)
    {
        ref var x = ref MemoryMarshal.GetReference(weights);
        ref var y = ref MemoryMarshal.GetReference(result);
        var keep = new Vector<float>(drop.Keep);
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)Vector<float>.Count)
        {
            var kept = Vector.AsVectorSingle(drop.Kept(number + (uint)i));
            var weight = Vector.LoadUnsafe(ref x, i);
            Vector.ConditionalSelect(kept, weight * keep, Vector<float>.Zero).StoreUnsafe(ref y, i);
            Vector.ConditionalSelect(kept, weight, -weight).StoreUnsafe(ref x, i);
        }
    }

    /// <summary>What multiplied the values, from signed weights.</summary>
    public static void Positive(ReadOnlySpan<float> weights, Span<float> result, float keep)
    {
        ref var x = ref MemoryMarshal.GetReference(weights);
        ref var y = ref MemoryMarshal.GetReference(result);
        var factor = new Vector<float>(keep);
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)Vector<float>.Count)
        {
            var weight = Vector.LoadUnsafe(ref x, i);
            Vector.ConditionalSelect(Vector.LessThan(weight, Vector<float>.Zero), Vector<float>.Zero, weight * factor).StoreUnsafe(ref y, i);
        }
    }

    /// <summary>Overwrites the gradient of what multiplied the values by that of the scores; the weights lose their signs.</summary>
    public static void SoftmaxGradient(Span<float> weights, Span<float> gradient, float keep, float scale)
    {
        ref var x = ref MemoryMarshal.GetReference(weights);
        ref var g = ref MemoryMarshal.GetReference(gradient);
        var (sum, factor) = (Vector<float>.Zero, new Vector<float>(keep));
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)Vector<float>.Count)
        {
            var weight = Vector.LoadUnsafe(ref x, i);
            var incoming = Vector.ConditionalSelect(Vector.LessThan(weight, Vector<float>.Zero), Vector<float>.Zero, Vector.LoadUnsafe(ref g, i) * factor);
            weight = Vector.Abs(weight);
            sum = Vector.FusedMultiplyAdd(weight, incoming, sum);
            weight.StoreUnsafe(ref x, i);
            incoming.StoreUnsafe(ref g, i);
        }
        var (mean, outer) = (new Vector<float>(Vector.Sum(sum)), new Vector<float>(scale));
        for (nuint i = 0; i < (nuint)weights.Length; i += (nuint)Vector<float>.Count)
        {
            (Vector.LoadUnsafe(ref x, i) * (Vector.LoadUnsafe(ref g, i) - mean) * outer).StoreUnsafe(ref g, i);
        }
    }
}

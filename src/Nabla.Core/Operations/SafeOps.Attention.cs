using System.Globalization;
using Nabla.Core.Kernels;

namespace Nabla.Core;

public static partial class SafeOps
{
    /// <summary>
    /// Scaled dot product attention, <c>softmax(q k' scale + mask) v</c>, in the fused kernel of the device where there is one.
    /// A query whose mask lets nothing through gives 0. Source: Vaswani et al. (2017), arXiv:1706.03762, section 3.2.1.
    /// </summary>
    /// <param name="query"><c>[batch, heads, queryTime, headSize]</c>.</param>
    /// <param name="key"><c>[batch, keyValueHeads, keyTime, headSize]</c>; heads a multiple of keyValueHeads (grouped queries, Ainslie et al., 2023).</param>
    /// <param name="value"><c>[batch, keyValueHeads, keyTime, valueSize]</c>.</param>
    /// <param name="mask">What may be attended to (bool, true lets through) or what is added to the scores (float), broadcast to <c>[batch, heads, queryTime, keyTime]</c>; null: all.</param>
    /// <param name="dropout">Chance of dropping an attention weight, in [0, 1).</param>
    /// <param name="isCausal">Whether query i sees keys 0 to i only, counted from the upper left corner; goes together with a mask.</param>
    /// <param name="scale">Factor of the scores; null: <c>1 / sqrt(headSize)</c>.</param>
    /// <returns><c>[batch, heads, queryTime, valueSize]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit each other.</exception>
    public static Tensor ScaledDotProductAttention(Tensor query, Tensor key, Tensor value, Tensor? mask = null, double dropout = 0, bool isCausal = false, double? scale = null)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        CheckAttention(query, key, value, mask);
        using var scope = NewDisposeScope();
        if (CanFuse(query, key, value, mask, dropout))
        {
            return FusedAttention(query, key, value, mask, dropout, isCausal, scale ?? (1 / Math.Sqrt(query.Sizes()[^1]))).MoveToOuterDisposeScope();
        }
        if (isCausal && mask is not null)
        {
            mask = CausalMask(mask, query.Sizes()[^2], key.Sizes()[^2]);
            isCausal = false;
        }
        var isGrouped = query.Sizes()[1] != key.Sizes()[1];
        if (dropout > 0 && query.device_type == DeviceType.CPU)
        {
            // The fused CPU kernel has no dropout, and libtorch's own draws its random numbers one by one.
            var groups = query.Sizes()[1] / key.Sizes()[1];
            (key, value) = isGrouped ? (key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)) : (key, value);
            var weights = FastDropout.Apply(AttentionWeights(query, key, mask, isCausal, scale), dropout); // [batch, heads, queryTime, keyTime]
            return BatchedProduct(weights, value).MoveToOuterDisposeScope();
        }
        if (IsTrainedInSmallTypeOnCpu(query))
        {
            // The backward pass of the fused CPU kernel is 4 to 5 times slower in bfloat16 than in float32 (8 x 6 heads, 128 steps, AMX: 22 ms against 5 ms).
            using var exact = Autocast.Enter(DeviceType.CPU, ScalarType.Float32);
            mask = mask is null || mask.dtype == ScalarType.Bool ? mask : mask.to_type(ScalarType.Float32);
            return Fused(query.to_type(ScalarType.Float32), key.to_type(ScalarType.Float32), value.to_type(ScalarType.Float32)).to_type(query.dtype).MoveToOuterDisposeScope();
        }
        return Fused(query, key, value).MoveToOuterDisposeScope();

        Tensor Fused(Tensor q, Tensor k, Tensor v) => scale is null && !isGrouped
            ? nn.functional.scaled_dot_product_attention(q, k, v, mask!, dropout, isCausal)
            : AtenScript.Call<Tensor>("attention", q, k, v, mask, dropout, isCausal, scale, isGrouped);
    }

    /// <summary>
    /// Whether training takes our own kernels: with dropout always, in bfloat16 while the scores are small enough to keep. In float32 without dropout
    /// the library's own kernel is as fast.
    /// </summary>
    internal static bool PrefersFused(ScalarType type, long scores, double dropout)
    {
        const long MostScores = 1 << 26; // 128 MiB in bfloat16
        return scores > 0 && type is ScalarType.BFloat16 or ScalarType.Float32
            && (dropout > 0 ? scores < int.MaxValue / sizeof(float) : scores <= MostScores && type == ScalarType.BFloat16);
    }

    private static bool CanFuse(Tensor query, Tensor key, Tensor value, Tensor? mask, double dropout)
        => FusedOperations.AreEnabled && is_grad_enabled() && query.requires_grad && query.dtype is ScalarType.Float32 or ScalarType.BFloat16 && mask?.requires_grad != true
            && TensorMemory.Fits(query) && TensorMemory.Fits(key) && TensorMemory.Fits(value)
            && PrefersFused(FusedOps.ComputeType(query), query.Sizes()[0] * query.Sizes()[1] * query.Sizes()[2] * key.Sizes()[2], dropout);

    private static Tensor FusedAttention(Tensor query, Tensor key, Tensor value, Tensor? mask, double dropout, bool isCausal, double scale)
    {
        var groups = query.Sizes()[1] / key.Sizes()[1];
        (key, value) = groups > 1 ? (key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)) : (key, value);
        return AttentionFunction.Apply(query, key, value, Added(mask, key.Sizes()[2]), new AttentionCall(FusedOps.ComputeType(query), (int)query.Sizes()[1], dropout, scale, isCausal));
    }

    /// <summary>A mask as numbers that are added to the scores, <c>[batch or 1, heads or 1, queries or 1, keys]</c>.</summary>
    internal static Tensor? Added(Tensor? mask, long keys)
    {
        if (mask is null)
        {
            return null;
        }
        using var ungraded = no_grad();
        var added = mask.dtype == ScalarType.Bool
            ? torch.zeros(mask.Sizes()).masked_fill_(mask.logical_not(), Number.Of(float.NegativeInfinity))
            : mask.to_type(ScalarType.Float32);
        while (added.Dimensions < 4)
        {
            added = added.unsqueeze(0);
        }
        return added.Sizes()[3] == keys ? added : added.expand(-1, -1, -1, keys);
    }

    /// <summary>Whether a gradient will be asked for, and autocast or the tensors themselves would make the kernel compute in bfloat16 or float16.</summary>
    private static bool IsTrainedInSmallTypeOnCpu(Tensor query)
        => query.device_type == DeviceType.CPU && query.requires_grad && Autocast.IsAvailable
            && (query.dtype is ScalarType.BFloat16 or ScalarType.Float16 || (query.dtype == ScalarType.Float32 && Autocast.TypeOn(DeviceType.CPU) != ScalarType.Float32));

    /// <summary>The attention weights themselves, <c>softmax(q k' scale + mask)</c>, for explanations; a query that sees nothing gets zeros.</summary>
    /// <param name="query"><c>[batch, heads, queryTime, headSize]</c>.</param>
    /// <param name="key"><c>[batch, keyValueHeads, keyTime, headSize]</c>.</param>
    /// <param name="mask">As for <see cref="ScaledDotProductAttention"/>.</param>
    /// <param name="isCausal">As for <see cref="ScaledDotProductAttention"/>.</param>
    /// <param name="scale">As for <see cref="ScaledDotProductAttention"/>.</param>
    /// <returns><c>[batch, heads, queryTime, keyTime]</c>.</returns>
    /// <exception cref="ShapeException">The shapes do not fit each other.</exception>
    public static Tensor AttentionWeights(Tensor query, Tensor key, Tensor? mask = null, bool isCausal = false, double? scale = null)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(key);
        CheckAttention(query, key, key, mask);
        using var scope = NewDisposeScope();
        if (query.Sizes()[1] != key.Sizes()[1])
        {
            key = key.repeat_interleave(query.Sizes()[1] / key.Sizes()[1], 1); // [batch, heads, keyTime, headSize]
        }
        if (isCausal)
        {
            mask = CausalMask(mask ?? torch.ones(1, 1, query.Sizes()[^2], key.Sizes()[^2], dtype: ScalarType.Bool, device: query.device), query.Sizes()[^2], key.Sizes()[^2]);
        }
        var scores = BatchedProduct(query * Number.Of(scale ?? (1 / Math.Sqrt(query.Sizes()[^1]))), key.transpose(-2, -1)); // [batch, heads, queryTime, keyTime]
        if (mask is null)
        {
            return scores.softmax(-1).MoveToOuterDisposeScope();
        }
        if (mask.dtype != ScalarType.Bool)
        {
            scores = scores + mask;
            mask = mask.isneginf().logical_not_();
        }
        // A row of -infinity alone would be NaN, and so would its gradient: it is softened to 0 first and set to 0 after.
        var sees = mask.any(-1, true); // [..., queryTime, 1]
        return scores.masked_fill(mask.logical_not().logical_and(sees), Number.Of(double.NegativeInfinity)).masked_fill(sees.logical_not(), Number.Of(0)).softmax(-1)
            .masked_fill(sees.logical_not(), Number.Of(0)).MoveToOuterDisposeScope();
    }

    private static Tensor BatchedProduct(Tensor left, Tensor right)
    {
        long[] a = left.Sizes(), b = right.Sizes();
        return left.reshape(a[0] * a[1], a[2], a[3]).bmm(right.reshape(b[0] * b[1], b[2], b[3])).view(a[0], a[1], a[2], b[3]);
    }

    private static Tensor CausalMask(Tensor mask, long queryTime, long keyTime)
    {
        using var allowed = torch.ones(queryTime, keyTime, dtype: ScalarType.Bool, device: mask.device).tril_(); // [queryTime, keyTime]
        if (mask.dtype == ScalarType.Bool)
        {
            return mask.logical_and(allowed);
        }
        using var forbidden = allowed.logical_not();
        return mask.masked_fill(forbidden, Number.Of(double.NegativeInfinity));
    }

    private static void CheckAttention(Tensor query, Tensor key, Tensor value, Tensor? mask)
    {
        const string Where = "SafeOps.ScaledDotProductAttention";
        long[] q = query.Sizes(), k = key.Sizes(), v = value.Sizes();
        if (q.Length != 4)
        {
            throw new ShapeException(Where, nameof(query), "[batch, heads, queryTime, headSize]", q);
        }
        if (k.Length != 4 || k[0] != q[0] || k[3] != q[3] || k[1] == 0 || q[1] % k[1] != 0)
        {
            throw new ShapeException(Where, nameof(key), string.Create(CultureInfo.InvariantCulture, $"[batch={q[0]}, keyValueHeads, keyTime, headSize={q[3]}] with {q[1]} a multiple of keyValueHeads"), k);
        }
        if (v.Length != 4 || v[0] != k[0] || v[1] != k[1] || v[2] != k[2])
        {
            throw new ShapeException(Where, nameof(value), string.Create(CultureInfo.InvariantCulture, $"[batch={k[0]}, keyValueHeads={k[1]}, keyTime={k[2]}, valueSize]"), v);
        }
        CheckMask(Where, mask, [q[0], q[1], q[2], k[2]]);
    }

    /// <summary>Throws where a mask does not broadcast to <c>[batch, heads, queryTime, keyTime]</c>.</summary>
    internal static void CheckMask(string where, Tensor? mask, long[] scores)
    {
        var given = mask?.Sizes() ?? [];
        for (var i = 1; i <= given.Length; i++)
        {
            if (given.Length > scores.Length || (given[^i] != scores[^i] && given[^i] != 1))
            {
                throw new ShapeException(where, nameof(mask), $"a shape that broadcasts to [batch, heads, queryTime, keyTime]={ShapeException.Format(scores)}", given);
            }
        }
    }
}

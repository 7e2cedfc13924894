namespace Nabla.Core.Kernels;

/// <summary>Attention with dropout inside as one operation of the graph.</summary>
internal static class AttentionFunction
{
    /// <summary><c>[batch, heads, queries, size]</c>.</summary>
    /// <param name="query"><c>[batch, heads, queries, size]</c>.</param>
    /// <param name="key"><c>[batch, heads, keys, size]</c>.</param>
    /// <param name="value"><c>[batch, heads, keys, value size]</c>.</param>
    /// <param name="added">Added to the scores, float32, or null.</param>
    /// <param name="call">Its numbers.</param>
    public static Tensor Apply(Tensor query, Tensor key, Tensor value, Tensor? added, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        Tensor result;
        IReadOnlyList<Tensor> saved;
        using (no_grad())
        {
            (result, saved) = Run(query, key, value, added, call);
        }
        ScalarType[] types = [query.dtype, key.dtype, value.dtype];
        FusedNode.Attach(nameof(AttentionFunction), result, [query, key, value], [], [.. saved], (kept, cotangent) => Backward(kept, cotangent, call, types));
        return result.MoveToOuterDisposeScope();
    }

    private static (Tensor Result, IReadOnlyList<Tensor> Saved) Run(Tensor query, Tensor key, Tensor value, Tensor? added, AttentionCall call)
    {
        var size = Size(query, key);
        if (call.Type == ScalarType.BFloat16 && value.Sizes()[3] == size.Size && PairAttention.Supports(size))
        {
            var (q, k, v) = (Rows(query), Rows(key), Rows(value));
            var (weights, attended) = (torch.empty([query.Sizes()[0] * query.Sizes()[1], size.Queries, PairAttention.KeptKeys(size)], call.Type), SideBySide(query.Sizes()));
            KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
            var extra = AttentionCore.Added(added?.contiguous(), call.Heads, size.Keys);
            PairAttention.Forward(size, call, HeadRows.Of(q), HeadRows.Of(k), HeadRows.Of(v), HeadRows.Of(attended), TensorMemory.Address(weights), extra, mask);
            return (attended, [q, k, v, weights]);
        }
        var (result, saved) = AttentionCore.Forward(Flat(query, call.Type), Flat(key, call.Type), Flat(value, call.Type), added, call);
        return (result.view(query.Sizes()[0], query.Sizes()[1], query.Sizes()[2], -1), saved);
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent, AttentionCall call, ScalarType[] types)
    {
        long[] shape = cotangent.Sizes();
        if (saved[0].Dimensions == 4)
        {
            var (q, k, v, gradient) = (saved[0], saved[1], saved[2], Rows(cotangent));
            var (dq, dk, dv) = (SideBySide(q.Sizes()), SideBySide(k.Sizes()), SideBySide(v.Sizes()));
            PairAttention.Backward(Size(q, k), call, HeadRows.Of(q), HeadRows.Of(k), HeadRows.Of(v), HeadRows.Of(gradient), TensorMemory.Address(saved[3]), HeadRows.Of(dq), HeadRows.Of(dk), HeadRows.Of(dv), 0);
            return [dq.to_type(types[0]), dk.to_type(types[1]), dv.to_type(types[2])];
        }
        var (query, key, value) = AttentionCore.Backward(saved, Flat(cotangent, call.Type), call);
        return [Back(query, types[0]), Back(key, types[1]), Back(value, types[2])];

        Tensor Back(Tensor flat, ScalarType type) => flat.view(shape[0], shape[1], flat.Sizes()[1], flat.Sizes()[2]).to_type(type);
    }

    private static AttentionSize Size(Tensor query, Tensor key)
        => new((int)query.Sizes()[0], (int)query.Sizes()[1], (int)query.Sizes()[2], (int)key.Sizes()[2], (int)query.Sizes()[3]);

    /// <summary>In bfloat16, each row dense; heads that lie side by side in a larger row stay there.</summary>
    private static Tensor Rows(Tensor x)
    {
        var half = x.to_type(ScalarType.BFloat16);
        return half.stride(3) == 1 ? half.alias() : half.contiguous();
    }

    /// <summary>A new <c>[batch, heads, rows, size]</c> whose heads lie side by side, as the products before and behind attention have them.</summary>
    private static Tensor SideBySide(long[] shape)
        => torch.empty_strided(shape, [shape[1] * shape[2] * shape[3], shape[3], shape[1] * shape[3], 1], ScalarType.BFloat16);

    private static Tensor Flat(Tensor x, ScalarType type) => x.to_type(type).contiguous().view(x.Sizes()[0] * x.Sizes()[1], x.Sizes()[2], x.Sizes()[3]);
}

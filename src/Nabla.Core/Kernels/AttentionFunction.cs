namespace Nabla.Core.Kernels;

/// <summary>
/// Attention with dropout inside as an autograd function. Arguments: query, key, value (<c>[batch, heads, time, size]</c>, as many key as query
/// heads), added mask (float32) or null, <see cref="AttentionCall"/>.
/// </summary>
internal sealed class AttentionFunction : autograd.SingleTensorFunction<AttentionFunction>
{
    private const string CallKey = "call", TypesKey = "types";

    public override string Name => nameof(AttentionFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (query, key, value, added, call) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Tensor?)vars[3], (AttentionCall)vars[4]);
        ctx.set_materialize_grads(false);
        using var scope = NewDisposeScope();
        var size = Size(query, key);
        if (call.Type == ScalarType.BFloat16 && value.shape[3] == size.Size && TileAttention.Supports(size))
        {
            Tensor[] inputs = [Rows(query), Rows(key), Rows(value)];
            var (weights, attended) = (torch.empty([query.shape[0] * query.shape[1], size.Queries, size.Keys], call.Type), SideBySide(query.shape));
            KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
            var extra = AttentionCore.Added(added?.contiguous(), call.Heads, size.Keys);
            TileAttention.Forward(size, call, HeadRows.Of(inputs[0]), HeadRows.Of(inputs[1]), HeadRows.Of(inputs[2]), HeadRows.Of(attended), TensorMemory.Address(weights), extra, mask);
            ctx.save_data(CallKey, call);
            ctx.save_data(TypesKey, new[] { query.dtype, key.dtype, value.dtype });
            ctx.save_for_backward([.. inputs.Select(input => input.MoveToOuterDisposeScope()), weights.MoveToOuterDisposeScope()]);
            return attended.MoveToOuterDisposeScope();
        }
        var (result, saved) = AttentionCore.Forward(Flat(query, call.Type), Flat(key, call.Type), Flat(value, call.Type), added, call);
        ctx.save_data(CallKey, call);
        ctx.save_data(TypesKey, new[] { query.dtype, key.dtype, value.dtype });
        ctx.save_for_backward([.. saved.Select(tensor => tensor.MoveToOuterDisposeScope())]);
        return result.view(query.shape[0], query.shape[1], query.shape[2], -1).MoveToOuterDisposeScope(); // [batch, heads, queries, size]
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 5, (saved, cotangent) =>
        {
            var (call, types) = ((AttentionCall)ctx.get_data(CallKey), (ScalarType[])ctx.get_data(TypesKey));
            long[] shape = cotangent.shape;
            if (saved[0].Dimensions == 4)
            {
                var (q, k, v, gradient) = (saved[0], saved[1], saved[2], Rows(cotangent));
                var (dq, dk, dv) = (SideBySide(q.shape), SideBySide(k.shape), SideBySide(v.shape));
                TileAttention.Backward(Size(q, k), call, HeadRows.Of(q), HeadRows.Of(k), HeadRows.Of(v), HeadRows.Of(gradient), TensorMemory.Address(saved[3]), HeadRows.Of(dq), HeadRows.Of(dk), HeadRows.Of(dv), 0);
                return [dq.to_type(types[0]), dk.to_type(types[1]), dv.to_type(types[2]), null, null];
            }
            var (query, key, value) = AttentionCore.Backward(saved, Flat(cotangent, call.Type), call);
            return [Back(query, types[0]), Back(key, types[1]), Back(value, types[2]), null, null];

            Tensor Back(Tensor flat, ScalarType type) => flat.view(shape[0], shape[1], flat.shape[1], flat.shape[2]).to_type(type);
        });

    private static AttentionSize Size(Tensor query, Tensor key)
        => new((int)query.shape[0], (int)query.shape[1], (int)query.shape[2], (int)key.shape[2], (int)query.shape[3]);

    /// <summary>In bfloat16, each row dense; heads that lie side by side in a larger row stay there.</summary>
    private static Tensor Rows(Tensor x)
    {
        var half = x.to_type(ScalarType.BFloat16);
        return half.stride(3) == 1 ? half.alias() : half.contiguous();
    }

    /// <summary>A new <c>[batch, heads, rows, size]</c> whose heads lie side by side, as the products before and behind attention have them.</summary>
    private static Tensor SideBySide(long[] shape)
        => torch.empty_strided(shape, [shape[1] * shape[2] * shape[3], shape[3], shape[1] * shape[3], 1], ScalarType.BFloat16);

    private static Tensor Flat(Tensor x, ScalarType type) => x.to_type(type).contiguous().view(x.shape[0] * x.shape[1], x.shape[2], x.shape[3]);
}

/// <summary>
/// Self-attention from the packed projection to the merged heads as an autograd function. Arguments: packed queries, keys and values before their
/// bias (<c>[batch, time, 3 * heads * size]</c>), bias or null, added mask (float32) or null, <see cref="AttentionCall"/>.
/// </summary>
internal sealed class PackedAttentionFunction : autograd.SingleTensorFunction<PackedAttentionFunction>
{
    private const string CallKey = "call", BiasKey = "bias";

    public override string Name => nameof(PackedAttentionFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (given, bias, added, call) = ((Tensor)vars[0], (Tensor?)vars[1], (Tensor?)vars[2], (AttentionCall)vars[3]);
        ctx.set_materialize_grads(false);
        using var scope = NewDisposeScope();
        var packed = given.contiguous();
        var (batch, time, size) = (packed.shape[0], (int)packed.shape[1], (int)(packed.shape[2] / (3 * call.Heads)));
        AttentionSize sizes = new((int)batch, call.Heads, time, time, size);
        if (call.Type == ScalarType.BFloat16 && TileAttention.Supports(sizes))
        {
            var (weights, attended) = (torch.empty([batch * call.Heads, time, time], call.Type), torch.empty([batch, time, (long)call.Heads * size], call.Type));
            var (q, k, v) = Parts(packed, bias, sizes);
            KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
            TileAttention.Forward(sizes, call, q, k, v, HeadRows.Part(attended, 0, call.Heads, size), TensorMemory.Address(weights), AttentionCore.Added(added?.contiguous(), call.Heads, time), mask);
            ctx.save_data(CallKey, call);
            ctx.save_data(BiasKey, bias is not null);
            ctx.save_for_backward([packed.MoveToOuterDisposeScope(), weights.MoveToOuterDisposeScope(), .. bias is null ? [] : new[] { bias }]);
            return attended.MoveToOuterDisposeScope();
        }
        var parts = Enumerable.Range(0, 3).Select(_ => torch.empty([batch * call.Heads, time, size], call.Type)).ToArray(); // [batch * heads, time, size]
        Split(packed, bias, parts, call);
        var (result, saved) = AttentionCore.Forward(parts[0], parts[1], parts[2], added, call);
        ctx.save_data(CallKey, call);
        ctx.save_data(BiasKey, bias is not null);
        ctx.save_for_backward([.. saved.Select(tensor => tensor.MoveToOuterDisposeScope())]);
        var merged = torch.empty([batch, time, (long)call.Heads * size], call.Type);
        Join([result], merged, 0, call);
        return merged.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 4, (saved, cotangent) =>
        {
            var call = (AttentionCall)ctx.get_data(CallKey);
            var merged = cotangent.to_type(call.Type).contiguous();
            var (batch, time, width) = (merged.shape[0], (int)merged.shape[1], (int)merged.shape[2]);
            var hasBias = ctx.get_data(BiasKey) is true;
            if (saved.Count < 4)
            {
                AttentionSize sizes = new((int)batch, call.Heads, time, time, width / call.Heads);
                var gradients = torch.empty([batch, time, 3L * width], call.Type);
                using ColumnSums sums = new(hasBias ? sizes.Batch : 0, 3 * width);
                var ((q, k, v), (dq, dk, dv)) = (Parts(saved[0], hasBias ? saved[2] : null, sizes), Parts(gradients, null, sizes));
                TileAttention.Backward(sizes, call, q, k, v, HeadRows.Part(merged, 0, call.Heads, sizes.Size), TensorMemory.Address(saved[1]), dq, dk, dv, sums.Address);
                return [gradients, sums.Total(), null, null];
            }
            var gradient = torch.empty([batch * call.Heads, time, width / call.Heads], call.Type);
            Split(merged, null, [gradient], call);
            var (query, key, value) = AttentionCore.Backward(saved, gradient, call);
            var packed = torch.empty([batch, time, 3L * width], call.Type);
            using ColumnSums biasSums = new(batch * time, 3 * width, hasBias);
            Join([query, key, value], packed, biasSums.Address, call);
            return [packed, biasSums.Total(), null, null];
        });

    private static (HeadRows Q, HeadRows K, HeadRows V) Parts(Tensor packed, Tensor? bias, AttentionSize size)
    {
        var address = bias is null ? 0 : TensorMemory.Address(bias);
        return (Part(0), Part(1), Part(2));

        HeadRows Part(int part) => HeadRows.Part(packed, part, size.Heads, size.Size, address);
    }

    private static void Split(Tensor packed, Tensor? bias, Tensor[] parts, AttentionCall call)
    {
        var (addresses, biasAddress) = (parts.Select(TensorMemory.Address).ToArray(), bias is null ? 0 : TensorMemory.Address(bias));
        var (batch, time, size) = (packed.shape[0], (int)packed.shape[1], (int)parts[0].shape[2]);
        if (call.Type == ScalarType.BFloat16)
        {
            HeadsKernel.Split<ushort>(TensorMemory.Address(packed), biasAddress, addresses, batch, time, call.Heads, size);
        }
        else
        {
            HeadsKernel.Split<float>(TensorMemory.Address(packed), biasAddress, addresses, batch, time, call.Heads, size);
        }
    }

    private static void Join(Tensor[] parts, Tensor packed, nint columnSums, AttentionCall call)
    {
        var addresses = parts.Select(part => TensorMemory.Address(part.contiguous())).ToArray(); // products come contiguous, so this is themselves
        var (batch, time, size) = (packed.shape[0], (int)packed.shape[1], (int)parts[0].shape[2]);
        if (call.Type == ScalarType.BFloat16)
        {
            HeadsKernel.Join<ushort>(addresses, TensorMemory.Address(packed), columnSums, batch, time, call.Heads, size);
        }
        else
        {
            HeadsKernel.Join<float>(addresses, TensorMemory.Address(packed), columnSums, batch, time, call.Heads, size);
        }
    }
}

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
            var (query, key, value) = AttentionCore.Backward(saved, Flat(cotangent, call.Type), call);
            return [Back(query, types[0]), Back(key, types[1]), Back(value, types[2]), null, null];

            Tensor Back(Tensor flat, ScalarType type) => flat.view(shape[0], shape[1], flat.shape[1], flat.shape[2]).to_type(type);
        });

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
            var gradient = torch.empty([batch * call.Heads, time, width / call.Heads], call.Type);
            Split(merged, null, [gradient], call);
            var (query, key, value) = AttentionCore.Backward(saved, gradient, call);
            var packed = torch.empty([batch, time, 3L * width], call.Type);
            using ColumnSums biasSums = new(batch * time, 3 * width, ctx.get_data(BiasKey) is true);
            Join([query, key, value], packed, biasSums.Address, call);
            return [packed, biasSums.Total(), null, null];
        });

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

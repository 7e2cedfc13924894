namespace Nabla.Core.Kernels;

/// <summary>
/// Attention with dropout inside as an autograd function, on matrix products of the library and <see cref="AttentionKernel"/>. Arguments: query,
/// key, value (<c>[batch, heads, time, size]</c>, as many key as query heads), added mask (float32) or null, <see cref="AttentionCall"/>.
/// </summary>
internal sealed class AttentionFunction : autograd.SingleTensorFunction<AttentionFunction>
{
    private const string CallKey = "call", MaskKey = "mask", TypesKey = "types";

    public override string Name => nameof(AttentionFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (query, key, value, added, call) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (Tensor?)vars[3], (AttentionCall)vars[4]);
        ctx.set_materialize_grads(false);
        using var scope = NewDisposeScope();
        long[] shape = query.shape;
        var (pairs, queries, keys) = (shape[0] * shape[1], (int)shape[2], (int)key.shape[2]);
        var (q, k, v) = (Flat(query, call.Type), Flat(key, call.Type), Flat(value, call.Type)); // [pairs, time, size]
        var weights = q.bmm(k.transpose(1, 2)); // [pairs, queries, keys]
        KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
        var dropped = mask is null ? weights : torch.empty(weights.shape, call.Type);
        var extra = Added(added?.contiguous(), shape, keys);
        if (call.Type == ScalarType.BFloat16)
        {
            AttentionKernel.Forward<ushort>(TensorMemory.Address(weights), TensorMemory.Address(dropped), pairs, queries, keys, (float)call.Scale, call.IsCausal, extra, mask);
        }
        else
        {
            AttentionKernel.Forward<float>(TensorMemory.Address(weights), TensorMemory.Address(dropped), pairs, queries, keys, (float)call.Scale, call.IsCausal, extra, mask);
        }
        ctx.save_data(CallKey, call);
        ctx.save_data(MaskKey, mask?.Keep ?? 1f);
        ctx.save_data(TypesKey, new[] { query.dtype, key.dtype, value.dtype });
        ctx.save_for_backward([.. new[] { q, k, v, weights }.Select(tensor => tensor.MoveToOuterDisposeScope())]);
        return dropped.bmm(v).view(shape[0], shape[1], queries, -1).MoveToOuterDisposeScope(); // [batch, heads, queries, size]
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 5, (saved, cotangent) =>
        {
            var (call, keep, types) = ((AttentionCall)ctx.get_data(CallKey), (float)ctx.get_data(MaskKey), (ScalarType[])ctx.get_data(TypesKey));
            var (q, k, v, weights) = (saved[0], saved[1], saved[2], saved[3]);
            long[] shape = cotangent.shape;
            var (pairs, queries, keys) = (weights.shape[0], (int)weights.shape[1], (int)weights.shape[2]);
            var gradient = Flat(cotangent, call.Type);
            var dropped = call.Dropout > 0 ? torch.empty(weights.shape, call.Type) : weights;
            var scores = gradient.bmm(v.transpose(1, 2)); // [pairs, queries, keys]
            if (call.Type == ScalarType.BFloat16)
            {
                Kernels<ushort>();
            }
            else
            {
                Kernels<float>();
            }
            Tensor Back(Tensor flat, ScalarType type) => flat.view(shape[0], shape[1], flat.shape[1], flat.shape[2]).to_type(type);
            return
            [
                Back(scores.bmm(k), types[0]),
                Back(scores.transpose(1, 2).bmm(q), types[1]),
                Back(dropped.transpose(1, 2).bmm(gradient), types[2]),
                null,
                null,
            ];

            void Kernels<T>() where T : unmanaged
            {
                if (call.Dropout > 0)
                {
                    AttentionKernel.Dropped<T>(TensorMemory.Address(weights), TensorMemory.Address(dropped), pairs * queries, keys, keep);
                }
                AttentionKernel.Backward<T>(TensorMemory.Address(weights), TensorMemory.Address(scores), pairs, queries, keys, (float)call.Scale, call.IsCausal, keep);
            }
        });

    private static Tensor Flat(Tensor x, ScalarType type) => x.to_type(type).contiguous().view(x.shape[0] * x.shape[1], x.shape[2], x.shape[3]);

    private static AttentionMask Added(Tensor? added, long[] query, int keys)
    {
        if (added is null)
        {
            return default;
        }
        long[] shape = added.shape; // [batch or 1, heads or 1, queries or 1, keys]
        return new(TensorMemory.Address(added), query[1],
            shape[0] == 1 ? 0 : shape[1] * shape[2] * keys,
            shape[1] == 1 ? 0 : shape[2] * keys,
            shape[2] == 1 ? 0 : keys);
    }
}

/// <summary>The numbers of an attention.</summary>
/// <param name="Type">Type of the matrix products: Float32 or BFloat16.</param>
/// <param name="Dropout">Chance of dropping a weight, in [0, 1).</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="IsCausal">Whether query i sees keys 0 to i only.</param>
internal sealed record AttentionCall(ScalarType Type, double Dropout, double Scale, bool IsCausal);

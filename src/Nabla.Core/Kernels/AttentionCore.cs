namespace Nabla.Core.Kernels;

/// <summary>The numbers of an attention.</summary>
/// <param name="Type">Type of the matrix products: Float32 or BFloat16.</param>
/// <param name="Heads">Number of heads.</param>
/// <param name="Dropout">Chance of dropping a weight, in [0, 1).</param>
/// <param name="Scale">Factor of the scores.</param>
/// <param name="IsCausal">Whether query i sees keys 0 to i only.</param>
internal sealed record AttentionCall(ScalarType Type, int Heads, double Dropout, double Scale, bool IsCausal)
{
    /// <summary>What dropout multiplies the weights that stay with.</summary>
    public float Keep => (float)(1 / (1 - Dropout));
}

/// <summary>
/// Attention over one matrix for each (batch, head) pair, on matrix products of the library and <see cref="AttentionKernel"/>: what the autograd
/// functions of attention share. Saved for the way back are queries, keys, values and the signed weights.
/// </summary>
internal static class AttentionCore
{
    /// <summary>Forward: <c>[pairs, queries, size]</c> from matrices of the call's type, and the tensors to save.</summary>
    public static (Tensor Result, List<Tensor> Saved) Forward(Tensor q, Tensor k, Tensor v, Tensor? added, AttentionCall call)
    {
        var (pairs, queries, keys) = (q.Sizes()[0], (int)q.Sizes()[1], (int)k.Sizes()[1]);
        var weights = q.bmm(k.transpose(1, 2)); // [pairs, queries, keys]
        KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
        var dropped = mask is null ? weights : torch.empty(weights.Sizes(), call.Type);
        var extra = Added(added?.contiguous(), call.Heads, keys);
        if (call.Type == ScalarType.BFloat16)
        {
            AttentionKernel.Forward<ushort>(TensorMemory.Address(weights), TensorMemory.Address(dropped), pairs, queries, keys, (float)call.Scale, call.IsCausal, extra, mask);
        }
        else
        {
            AttentionKernel.Forward<float>(TensorMemory.Address(weights), TensorMemory.Address(dropped), pairs, queries, keys, (float)call.Scale, call.IsCausal, extra, mask);
        }
        return (dropped.bmm(v), [q, k, v, weights]);
    }

    /// <summary>Backward: gradients of queries, keys and values.</summary>
    public static (Tensor Query, Tensor Key, Tensor Value) Backward(IReadOnlyList<Tensor> saved, Tensor gradient, AttentionCall call)
    {
        var (q, k, v, weights) = (saved[0], saved[1], saved[2], saved[3]);
        var dropped = call.Dropout > 0 ? torch.empty(weights.Sizes(), call.Type) : weights;
        var scores = gradient.bmm(v.transpose(1, 2)); // [pairs, queries, keys]
        if (call.Type == ScalarType.BFloat16)
        {
            Kernels<ushort>(weights, dropped, scores, call);
        }
        else
        {
            Kernels<float>(weights, dropped, scores, call);
        }
        return (scores.bmm(k), scores.transpose(1, 2).bmm(q), dropped.transpose(1, 2).bmm(gradient));
    }

    private static void Kernels<T>(Tensor weights, Tensor dropped, Tensor scores, AttentionCall call)
        where T : unmanaged
    {
        var (pairs, queries, keys) = (weights.Sizes()[0], (int)weights.Sizes()[1], (int)weights.Sizes()[2]);
        AttentionKernel.Backward<T>(
            TensorMemory.Address(weights), TensorMemory.Address(scores), call.Dropout > 0 ? TensorMemory.Address(dropped) : 0, pairs, queries, keys, (float)call.Scale, call.IsCausal, call.Keep);
    }

    /// <summary>Where the rows of an added mask lie.</summary>
    public static AttentionMask Added(Tensor? added, int heads, int keys)
    {
        if (added is null)
        {
            return default;
        }
        long[] shape = added.Sizes(); // [batch or 1, heads or 1, queries or 1, keys]
        return new(TensorMemory.Address(added), heads,
            shape[0] == 1 ? 0 : shape[1] * shape[2] * keys,
            shape[1] == 1 ? 0 : shape[2] * keys,
            shape[2] == 1 ? 0 : keys);
    }
}

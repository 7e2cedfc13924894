namespace Nabla.Core.Kernels;

/// <summary>
/// Attention from projections whose heads lie side by side to merged heads as one operation of the graph. In self-attention one tensor holds queries, keys and values; in
/// cross-attention one holds queries and another keys and values.
/// </summary>
internal static class PackedAttentionFunction
{
    /// <summary>Self-attention, <c>[batch, time, heads * size]</c>.</summary>
    /// <param name="packed">Queries, keys and values before their bias, <c>[batch, time, 3 * heads * size]</c>.</param>
    /// <param name="bias"><c>[3 * heads * size]</c>, or null.</param>
    /// <param name="added">Added to the scores, float32, or null.</param>
    /// <param name="call">Its numbers.</param>
    public static Tensor Apply(Tensor packed, Tensor? bias, Tensor? added, AttentionCall call) => Apply([packed], bias, added, call);

    /// <summary>Cross-attention, <c>[batch, queries, heads * size]</c>.</summary>
    /// <param name="query">Queries before their bias, <c>[batch, queries, heads * size]</c>.</param>
    /// <param name="memory">Keys and values before their bias, <c>[batch, keys, 2 * heads * size]</c>.</param>
    /// <param name="bias"><c>[3 * heads * size]</c>, or null.</param>
    /// <param name="added">Added to the scores, float32, or null.</param>
    /// <param name="call">Its numbers.</param>
    public static Tensor Apply(Tensor query, Tensor memory, Tensor? bias, Tensor? added, AttentionCall call) => Apply([query, memory], bias, added, call);

    private static Tensor Apply(Tensor[] given, Tensor? bias, Tensor? added, AttentionCall call)
    {
        using var scope = NewDisposeScope();
        Tensor result;
        Tensor[] saved;
        var packed = Array.ConvertAll(given, FusedNode.Dense);
        using (no_grad())
        {
            (result, saved) = Run(packed, bias, added, call);
        }
        Tensor[] biases = bias is null ? [] : [bias];
        FusedNode.Attach(nameof(PackedAttentionFunction), result, given, biases, [.. biases, .. saved],
            (kept, cotangent) => Backward(kept, cotangent, given.Length, biases.Length, call));
        return result.MoveToOuterDisposeScope();
    }

    private static (Tensor Result, Tensor[] Saved) Run(Tensor[] packed, Tensor? bias, Tensor? added, AttentionCall call)
    {
        var size = SizeOf(packed, call);
        var (pairs, width) = ((long)size.Batch * size.Heads, (long)size.Heads * size.Size);
        var merged = torch.empty([size.Batch, size.Queries, width], call.Type);
        if (call.Type == ScalarType.BFloat16 && PairAttention.Supports(size))
        {
            var weights = torch.empty([pairs, size.Queries, PairAttention.KeptKeys(size)], call.Type);
            var (q, k, v) = Parts(packed, bias, size);
            KeyedMask? mask = call.Dropout > 0 ? new KeyedMask(KeyedMask.DrawKey(), call.Dropout) : null;
            PairAttention.Forward(size, call, q, k, v, HeadRows.Part(merged, 0, call.Heads, size.Size), TensorMemory.Address(weights), AttentionCore.Added(added?.contiguous(), call.Heads, size.Keys), mask);
            return (merged, [.. packed, weights]);
        }
        Tensor[] parts = [Part(size.Queries), Part(size.Keys), Part(size.Keys)];
        foreach (var (tensor, own, first) in Groups(packed, parts))
        {
            Split(tensor, bias, first * width, own, call);
        }
        var (result, saved) = AttentionCore.Forward(parts[0], parts[1], parts[2], added, call);
        Join([result], merged, 0, call);
        return (merged, [.. saved]);

        Tensor Part(long time) => torch.empty([pairs, time, size.Size], call.Type);
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> kept, Tensor cotangent, int tensors, int biases, AttentionCall call)
    {
        var bias = biases > 0 ? kept[0] : null;
        Tensor[] saved = [.. kept.Skip(biases)];
        var merged = cotangent.to_type(call.Type).contiguous();
        var (batch, width) = (merged.Sizes()[0], merged.Sizes()[2]);
        Tensor[] gradients;
        Tensor? biasGradient;
        if (saved.Length == tensors + 1)
        {
            var packed = saved[..tensors];
            var size = SizeOf(packed, call);
            gradients = Array.ConvertAll(packed, part => torch.empty(part.Sizes(), call.Type));
            using ColumnSums sums = new(biases > 0 ? size.Batch : 0, 3 * (int)width);
            var ((q, k, v), (dq, dk, dv)) = (Parts(packed, bias, size), Parts(gradients, null, size));
            PairAttention.Backward(size, call, q, k, v, HeadRows.Part(merged, 0, call.Heads, size.Size), TensorMemory.Address(saved[^1]), dq, dk, dv, sums.Address);
            biasGradient = sums.Total();
        }
        else
        {
            var gradient = torch.empty([batch * call.Heads, merged.Sizes()[1], width / call.Heads], call.Type);
            Split(merged, null, 0, [gradient], call);
            var (query, key, value) = AttentionCore.Backward(saved, gradient, call);
            Tensor[] parts = [query, key, value];
            gradients = tensors == 1 ? [Like(query, 3)] : [Like(query, 1), Like(key, 2)];
            List<Tensor> sums = [];
            foreach (var (tensor, own, _) in Groups(gradients, parts))
            {
                using ColumnSums columns = new(tensor.Sizes()[0] * tensor.Sizes()[1], (int)tensor.Sizes()[2], biases > 0);
                Join(own, tensor, columns.Address, call);
                sums.AddRange(columns.Total() is { } total ? [total] : []);
            }
            biasGradient = sums.Count > 1 ? torch.cat(sums) : sums.FirstOrDefault();
        }
        return biasGradient is null ? [.. gradients] : [.. gradients, DirectGradients.Deliver(bias!, biasGradient)];

        Tensor Like(Tensor part, int parts) => torch.empty([batch, part.Sizes()[1], parts * width], call.Type);
    }

    private static AttentionSize SizeOf(Tensor[] packed, AttentionCall call)
    {
        var (first, last) = (packed[0], packed[^1]);
        var width = first.Sizes()[2] / (packed.Length == 1 ? 3 : 1);
        return new((int)first.Sizes()[0], call.Heads, (int)first.Sizes()[1], (int)last.Sizes()[1], (int)width / call.Heads);
    }

    /// <summary>Each packed tensor with the parts in it and the number of the first of them.</summary>
    private static IEnumerable<(Tensor Packed, Tensor[] Parts, int First)> Groups(Tensor[] packed, Tensor[] parts)
        => packed.Length == 1 ? [(packed[0], parts, 0)] : [(packed[0], parts[..1], 0), (packed[1], parts[1..], 1)];

    private static (HeadRows Q, HeadRows K, HeadRows V) Parts(Tensor[] packed, Tensor? bias, AttentionSize size)
    {
        var (address, width) = (bias is null ? 0 : TensorMemory.Address(bias), size.Heads * size.Size);
        if (packed.Length == 1)
        {
            return (Part(packed[0], 0, address), Part(packed[0], 1, address), Part(packed[0], 2, address));
        }
        var rest = address == 0 ? 0 : address + ((nint)width * sizeof(float));
        return (Part(packed[0], 0, address), Part(packed[1], 0, rest), Part(packed[1], 1, rest));

        HeadRows Part(Tensor tensor, int part, nint start) => HeadRows.Part(tensor, part, size.Heads, size.Size, start);
    }

    /// <summary>Rows of all heads side by side into one matrix for each head; <paramref name="start"/> is where their bias begins.</summary>
    private static void Split(Tensor packed, Tensor? bias, long start, Tensor[] parts, AttentionCall call)
    {
        var (addresses, biasAddress) = (Array.ConvertAll(parts, TensorMemory.Address), bias is null ? 0 : TensorMemory.Address(bias) + ((nint)start * sizeof(float)));
        var (batch, time, size) = (packed.Sizes()[0], (int)packed.Sizes()[1], (int)parts[0].Sizes()[2]);
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
        var addresses = Array.ConvertAll(parts, part => TensorMemory.Address(part.contiguous())); // products come contiguous, so this is themselves
        var (batch, time, size) = (packed.Sizes()[0], (int)packed.Sizes()[1], (int)parts[0].Sizes()[2]);
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

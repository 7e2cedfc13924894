namespace Nabla.Core.Kernels;

/// <summary>Activation and dropout as one operation of the graph.</summary>
internal static class ActivationFunction
{
    /// <summary><c>dropout(activation(x + bias))</c>, of the type of <paramref name="given"/>.</summary>
    /// <param name="given">float32 or bfloat16, <c>[..., features]</c>.</param>
    /// <param name="bias"><c>[features]</c>, or null.</param>
    /// <param name="activation">The activation.</param>
    /// <param name="probability">Chance of dropping an entry.</param>
    public static Tensor Apply(Tensor given, Tensor? bias, FusedActivation activation, double probability)
    {
        using var scope = NewDisposeScope();
        var x = FusedNode.Dense(given);
        var width = (int)x.Sizes()[^1];
        var rows = x.numel() / width;
        KeyedMask? mask = probability > 0 ? new KeyedMask(KeyedMask.DrawKey(), probability) : null;
        var (result, slope) = (torch.empty(x.Sizes(), x.dtype), torch.empty(x.Sizes(), x.dtype));
        var biasAddress = bias is null ? 0 : TensorMemory.Address(bias);
        if (x.dtype == ScalarType.BFloat16)
        {
            ActivationKernel.Forward<ushort>(activation, TensorMemory.Address(x), biasAddress, TensorMemory.Address(result), TensorMemory.Address(slope), mask, rows, width);
        }
        else
        {
            ActivationKernel.Forward<float>(activation, TensorMemory.Address(x), biasAddress, TensorMemory.Address(result), TensorMemory.Address(slope), mask, rows, width);
        }
        Tensor[] biases = bias is null ? [] : [bias];
        FusedNode.Attach(nameof(ActivationFunction), result, [given], biases, [slope, .. biases], Backward);
        return result.MoveToOuterDisposeScope();
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent)
    {
        var slope = saved[0];
        var gradient = cotangent.to_type(slope.dtype).contiguous();
        var width = (int)slope.Sizes()[^1];
        var rows = slope.numel() / width;
        var xGradient = torch.empty(slope.Sizes(), slope.dtype);
        using ColumnSums biasSums = new(rows, width, saved.Count > 1);
        if (slope.dtype == ScalarType.BFloat16)
        {
            ActivationKernel.Backward<ushort>(TensorMemory.Address(gradient), TensorMemory.Address(slope), TensorMemory.Address(xGradient), biasSums.Address, rows, width);
        }
        else
        {
            ActivationKernel.Backward<float>(TensorMemory.Address(gradient), TensorMemory.Address(slope), TensorMemory.Address(xGradient), biasSums.Address, rows, width);
        }
        return saved.Count > 1 ? [xGradient, DirectGradients.Deliver(saved[1], biasSums.Total()!)] : [xGradient];
    }
}

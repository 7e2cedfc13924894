namespace Nabla.Core.Kernels;

/// <summary>Layer normalisation as one operation of the graph.</summary>
internal static class LayerNormFunction
{
    /// <summary>The result, the shape of <paramref name="given"/>.</summary>
    /// <param name="given">float32, <c>[..., features]</c>.</param>
    /// <param name="weight"><c>[features]</c>.</param>
    /// <param name="bias"><c>[features]</c>.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="type">Of the result.</param>
    public static Tensor Apply(Tensor given, Tensor weight, Tensor bias, double epsilon, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var x = FusedNode.Dense(given);
        var width = (int)x.Sizes()[^1];
        var rows = x.numel() / width;
        var (result, mean, scale) = (torch.empty(x.Sizes(), type), torch.empty([rows]), torch.empty([rows]));
        if (type == ScalarType.BFloat16)
        {
            LayerNormKernel.Forward<ushort>(Address(x), Address(weight), Address(bias), Address(result), Address(mean), Address(scale), rows, width, (float)epsilon);
        }
        else
        {
            LayerNormKernel.Forward<float>(Address(x), Address(weight), Address(bias), Address(result), Address(mean), Address(scale), rows, width, (float)epsilon);
        }
        FusedNode.Attach(nameof(LayerNormFunction), result, [given], [weight, bias], [x, weight, bias, mean, scale], Backward);
        return result.MoveToOuterDisposeScope();
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent)
    {
        var (x, weight, bias, mean, scale) = (saved[0], saved[1], saved[2], saved[3], saved[4]);
        var gradient = cotangent.contiguous();
        var width = (int)x.Sizes()[^1];
        var rows = x.numel() / width;
        var xGradient = torch.empty(x.Sizes());
        using ColumnSums weightSums = new(rows, width), biasSums = new(rows, width);
        if (gradient.dtype == ScalarType.BFloat16)
        {
            LayerNormKernel.Backward<ushort>(Address(x), Address(weight), Address(gradient), Address(mean), Address(scale), Address(xGradient), weightSums.Address, biasSums.Address, rows, width);
        }
        else
        {
            LayerNormKernel.Backward<float>(Address(x), Address(weight), Address(gradient), Address(mean), Address(scale), Address(xGradient), weightSums.Address, biasSums.Address, rows, width);
        }
        return [xGradient, DirectGradients.Deliver(weight, weightSums.Total()!), DirectGradients.Deliver(bias, biasSums.Total()!)];
    }

    private static nint Address(Tensor x) => TensorMemory.Address(x);
}

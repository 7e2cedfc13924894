namespace Nabla.Core.Kernels;

/// <summary>The end of a residual branch as one operation of the graph.</summary>
internal static class BranchFunction
{
    /// <summary><c>x + dropout(branch + bias)</c>, float32.</summary>
    /// <param name="givenX">float32, <c>[..., features]</c>.</param>
    /// <param name="givenBranch">float32 or bfloat16, the same shape.</param>
    /// <param name="bias"><c>[features]</c>, or null.</param>
    /// <param name="probability">Chance of dropping an entry.</param>
    public static Tensor Apply(Tensor givenX, Tensor givenBranch, Tensor? bias, double probability)
    {
        using var scope = NewDisposeScope();
        var (x, branch) = (FusedNode.Dense(givenX), FusedNode.Dense(givenBranch));
        var width = (int)x.Sizes()[^1];
        var rows = x.numel() / width;
        KeyedMask? mask = probability > 0 ? new KeyedMask(KeyedMask.DrawKey(), probability) : null;
        var result = torch.empty(x.Sizes());
        var (type, biasAddress) = (branch.dtype, bias is null ? 0 : TensorMemory.Address(bias));
        if (type == ScalarType.BFloat16)
        {
            BranchKernel.Forward<ushort>(TensorMemory.Address(x), TensorMemory.Address(branch), biasAddress, TensorMemory.Address(result), mask, rows, width);
        }
        else
        {
            BranchKernel.Forward<float>(TensorMemory.Address(x), TensorMemory.Address(branch), biasAddress, TensorMemory.Address(result), mask, rows, width);
        }
        Tensor[] biases = bias is null ? [] : [bias];
        FusedNode.Attach(nameof(BranchFunction), result, [givenX, givenBranch], biases, biases, (saved, cotangent) => Backward(saved, cotangent, type, mask));
        return result.MoveToOuterDisposeScope();
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent, ScalarType type, KeyedMask? mask)
    {
        var gradient = cotangent.contiguous();
        var width = (int)gradient.Sizes()[^1];
        var rows = gradient.numel() / width;
        var branchGradient = torch.empty(gradient.Sizes(), type);
        using ColumnSums biasSums = new(rows, width, saved.Count > 0);
        if (type == ScalarType.BFloat16)
        {
            BranchKernel.Backward<ushort>(TensorMemory.Address(gradient), TensorMemory.Address(branchGradient), biasSums.Address, mask, rows, width);
        }
        else
        {
            BranchKernel.Backward<float>(TensorMemory.Address(gradient), TensorMemory.Address(branchGradient), biasSums.Address, mask, rows, width);
        }
        return saved.Count > 0 ? [cotangent, branchGradient, DirectGradients.Deliver(saved[0], biasSums.Total()!)] : [cotangent, branchGradient];
    }
}

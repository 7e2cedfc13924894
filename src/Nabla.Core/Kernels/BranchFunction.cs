namespace Nabla.Core.Kernels;

/// <summary>The end of a residual branch as an autograd function. Arguments: x (float32), branch, bias or null, probability.</summary>
internal sealed class BranchFunction : autograd.SingleTensorFunction<BranchFunction>
{
    private const string State = "state";

    private sealed record Saved(KeyedMask? Mask, ScalarType BranchType, bool HasBias);

    public override string Name => nameof(BranchFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (givenX, givenBranch, bias, probability) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor?)vars[2], (double)vars[3]);
        ctx.set_materialize_grads(false);
        using var scope = NewDisposeScope();
        var (x, branch) = (givenX.contiguous(), givenBranch.contiguous());
        var width = (int)x.shape[^1];
        var rows = x.numel() / width;
        KeyedMask? mask = probability > 0 ? new KeyedMask(KeyedMask.DrawKey(), probability) : null;
        ctx.save_data(State, new Saved(mask, branch.dtype, bias is not null));
        var result = torch.empty(x.shape);
        var biasAddress = bias is null ? 0 : TensorMemory.Address(bias);
        if (branch.dtype == ScalarType.BFloat16)
        {
            BranchKernel.Forward<ushort>(TensorMemory.Address(x), TensorMemory.Address(branch), biasAddress, TensorMemory.Address(result), mask, rows, width);
        }
        else
        {
            BranchKernel.Forward<float>(TensorMemory.Address(x), TensorMemory.Address(branch), biasAddress, TensorMemory.Address(result), mask, rows, width);
        }
        return result.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 4, (_, cotangent) =>
        {
            var state = (Saved)ctx.get_data(State);
            var gradient = cotangent.contiguous();
            var width = (int)gradient.shape[^1];
            var rows = gradient.numel() / width;
            var branchGradient = torch.empty(gradient.shape, state.BranchType);
            using ColumnSums biasSums = new(rows, width, state.HasBias);
            if (state.BranchType == ScalarType.BFloat16)
            {
                BranchKernel.Backward<ushort>(TensorMemory.Address(gradient), TensorMemory.Address(branchGradient), biasSums.Address, state.Mask, rows, width);
            }
            else
            {
                BranchKernel.Backward<float>(TensorMemory.Address(gradient), TensorMemory.Address(branchGradient), biasSums.Address, state.Mask, rows, width);
            }
            return [cotangent, branchGradient, biasSums.Total(), null];
        });
}

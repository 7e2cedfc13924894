namespace Nabla.Core.Kernels;

/// <summary>Activation and dropout as an autograd function. Arguments: x, bias or null, activation, probability.</summary>
internal sealed class ActivationFunction : autograd.SingleTensorFunction<ActivationFunction>
{
    private const string HasBias = "bias";

    public override string Name => nameof(ActivationFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (given, bias, activation, probability) = ((Tensor)vars[0], (Tensor?)vars[1], (FusedActivation)vars[2], (double)vars[3]);
        ctx.set_materialize_grads(false);
        ctx.save_data(HasBias, bias is not null);
        using var scope = NewDisposeScope();
        var x = given.contiguous();
        var width = (int)x.shape[^1];
        var rows = x.numel() / width;
        KeyedMask? mask = probability > 0 ? new KeyedMask(KeyedMask.DrawKey(), probability) : null;
        var (result, slope) = (torch.empty(x.shape, x.dtype), torch.empty(x.shape, x.dtype));
        var biasAddress = bias is null ? 0 : TensorMemory.Address(bias);
        if (x.dtype == ScalarType.BFloat16)
        {
            ActivationKernel.Forward<ushort>(activation, TensorMemory.Address(x), biasAddress, TensorMemory.Address(result), TensorMemory.Address(slope), mask, rows, width);
        }
        else
        {
            ActivationKernel.Forward<float>(activation, TensorMemory.Address(x), biasAddress, TensorMemory.Address(result), TensorMemory.Address(slope), mask, rows, width);
        }
        ctx.save_for_backward([slope.MoveToOuterDisposeScope()]);
        return result.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 4, (saved, cotangent) =>
        {
            var slope = saved[0];
            var gradient = cotangent.to_type(slope.dtype).contiguous();
            var width = (int)slope.shape[^1];
            var rows = slope.numel() / width;
            var xGradient = torch.empty(slope.shape, slope.dtype);
            using ColumnSums biasSums = new(rows, width, ctx.get_data(HasBias) is true);
            if (slope.dtype == ScalarType.BFloat16)
            {
                ActivationKernel.Backward<ushort>(TensorMemory.Address(gradient), TensorMemory.Address(slope), TensorMemory.Address(xGradient), biasSums.Address, rows, width);
            }
            else
            {
                ActivationKernel.Backward<float>(TensorMemory.Address(gradient), TensorMemory.Address(slope), TensorMemory.Address(xGradient), biasSums.Address, rows, width);
            }
            return [xGradient, biasSums.Total(), null, null];
        });
}

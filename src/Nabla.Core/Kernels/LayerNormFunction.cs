namespace Nabla.Core.Kernels;

/// <summary>Layer normalisation as an autograd function. Arguments: x (float32), weight, bias, epsilon, type of the result.</summary>
internal sealed class LayerNormFunction : autograd.SingleTensorFunction<LayerNormFunction>
{
    public override string Name => nameof(LayerNormFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (given, weight, bias, epsilon, type) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (double)vars[3], (ScalarType)vars[4]);
        ctx.set_materialize_grads(false);
        using var scope = NewDisposeScope();
        var x = given.contiguous();
        var width = (int)x.shape[^1];
        var rows = x.numel() / width;
        var (result, mean, scale) = (torch.empty(x.shape, type), torch.empty([rows]), torch.empty([rows]));
        if (type == ScalarType.BFloat16)
        {
            LayerNormKernel.Forward<ushort>(Address(x), Address(weight), Address(bias), Address(result), Address(mean), Address(scale), rows, width, (float)epsilon);
        }
        else
        {
            LayerNormKernel.Forward<float>(Address(x), Address(weight), Address(bias), Address(result), Address(mean), Address(scale), rows, width, (float)epsilon);
        }
        ctx.save_for_backward([x.MoveToOuterDisposeScope(), weight, mean.MoveToOuterDisposeScope(), scale.MoveToOuterDisposeScope()]);
        return result.MoveToOuterDisposeScope();
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 5, (saved, cotangent) =>
        {
            var (x, weight, mean, scale) = (saved[0], saved[1], saved[2], saved[3]);
            var gradient = cotangent.contiguous();
            var width = (int)x.shape[^1];
            var rows = x.numel() / width;
            var xGradient = torch.empty(x.shape);
            using ColumnSums weightSums = new(rows, width), biasSums = new(rows, width);
            if (gradient.dtype == ScalarType.BFloat16)
            {
                LayerNormKernel.Backward<ushort>(Address(x), Address(weight), Address(gradient), Address(mean), Address(scale), Address(xGradient), weightSums.Address, biasSums.Address, rows, width);
            }
            else
            {
                LayerNormKernel.Backward<float>(Address(x), Address(weight), Address(gradient), Address(mean), Address(scale), Address(xGradient), weightSums.Address, biasSums.Address, rows, width);
            }
            return [xGradient, weightSums.Total(), biasSums.Total(), null, null];
        });

    private static nint Address(Tensor x) => TensorMemory.Address(x);
}

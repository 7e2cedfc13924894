namespace Nabla.Core.Kernels;

/// <summary>
/// A convolution over pictures as one operation of the graph: forward and the gradient of the input by libtorch in bfloat16, the gradient of the weight
/// by <see cref="ConvolutionKernel"/> straight in float32, without a rounded copy.
/// </summary>
internal static class ConvolutionFunction
{
    /// <summary>The output, bfloat16, channels last.</summary>
    /// <param name="x"><c>[batch, inputs, height, width]</c>, channels last.</param>
    /// <param name="weight">float32, <c>[outputs, inputs, kernel height, kernel width]</c>.</param>
    /// <param name="bias">float32, <c>[outputs]</c>, or null.</param>
    /// <param name="plan">The convolution.</param>
    /// <param name="stride">Distance of outputs, of each axis.</param>
    /// <param name="padding">Zeros around the input, of each axis.</param>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias, ConvolutionPlan plan, long[] stride, long[] padding)
    {
        using var scope = NewDisposeScope();
        var (type, needsInputGradient) = (x.dtype, x.requires_grad);
        Tensor half, halfWeight, y;
        using (no_grad())
        {
            (half, halfWeight) = (x.to_type(ScalarType.BFloat16), weight.to_type(ScalarType.BFloat16));
            y = nn.functional.conv2d(half, halfWeight, bias?.to_type(ScalarType.BFloat16)!, stride, padding);
        }
        Tensor[] parameters = bias is null ? [weight] : [weight, bias];
        FusedNode.Attach(nameof(ConvolutionFunction), y, [x], parameters, needsInputGradient ? [half.detach(), .. parameters, halfWeight] : [half.detach(), .. parameters],
            (saved, cotangent) => Backward(saved, cotangent, parameters.Length, plan, stride, padding, type, needsInputGradient));
        return y.MoveToOuterDisposeScope();
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent, int parameters, ConvolutionPlan plan, long[] stride, long[] padding, ScalarType type, bool needsInputGradient)
    {
        var (x, weight) = (saved[0], saved[1]);
        var gradient = ChannelsLast.Arrange(cotangent.to_type(ScalarType.BFloat16));
        var gradients = new Tensor?[1 + parameters];
        if (weight.requires_grad)
        {
            var weightGradient = torch.empty(weight.Sizes());
            ConvolutionKernel.WeightGradient(plan, TensorMemory.StridedAddress(x), TensorMemory.StridedAddress(gradient), TensorMemory.Address(weightGradient));
            gradients[1] = DirectGradients.Deliver(weight, weightGradient);
        }
        if (parameters > 1 && saved[2].requires_grad)
        {
            gradients[2] = DirectGradients.Deliver(saved[2], cotangent.sum([0, 2, 3], type: ScalarType.Float32));
        }
        if (needsInputGradient)
        {
            gradients[0] = AtenScript.Call<Tensor>("convolution_input", gradient, x, saved[^1], stride[0], stride[1], padding[0], padding[1]).to_type(type);
        }
        return gradients;
    }
}

namespace Nabla.Nn;

/// <summary>
/// Convolution turned round (the gradient of a convolution), which enlarges its input. As PyTorch's ConvTranspose1d, 2d and 3d
/// with the same keys and initial weights. Source: Zeiler et al. (2010), Deconvolutional networks.
/// </summary>
public sealed class TransposedConvolutionLayer : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly TransposedConvolutionOptions _options;
    private readonly long[] _kernel, _stride, _padding, _added, _dilation;

    /// <summary>Creates the layer with weights uniform in +- 1 / sqrt(outputChannels / groups * kernel entries), as PyTorch does.</summary>
    /// <param name="options">Its size.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public TransposedConvolutionLayer(TransposedConvolutionOptions options)
        : base(nameof(TransposedConvolutionLayer))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var axes = options.Axes;
        (_kernel, _stride, _padding) = (AxisSizes.Expand(options.KernelSize, axes), AxisSizes.Expand(options.Stride, axes), AxisSizes.Expand(options.Padding, axes));
        (_added, _dilation) = (AxisSizes.Expand(options.OutputPadding, axes), AxisSizes.Expand(options.Dilation, axes));
        var bound = 1 / Math.Sqrt(options.OutputChannels / options.Groups * _kernel.Aggregate(1L, (product, size) => product * size));
        weight = torch.empty([options.InputChannels, options.OutputChannels / options.Groups, .. _kernel]).uniform_(-bound, bound).AsOwnedParameter();
        bias = options.UseBias ? torch.empty(options.OutputChannels).uniform_(-bound, bound).AsOwnedParameter() : null;
        RegisterComponents();
    }

    /// <summary>Convolves.</summary>
    /// <param name="x"><c>[batch, inputChannels, ...]</c>; the batch axis may be missing.</param>
    /// <returns><c>[batch, outputChannels, ...]</c>; each axis has <c>(size - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1</c> entries.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs, or nothing would be left.</exception>
    public override Tensor forward(Tensor x)
    {
        Check(x.Sizes());
        return _options.Axes switch
        {
            1 => functional.conv_transpose1d(x, weight, bias!, _stride[0], _padding[0], _added[0], _dilation[0], _options.Groups),
            2 => functional.conv_transpose2d(x, weight, bias!, _stride, _padding, _added, _dilation, _options.Groups),
            _ => functional.conv_transpose3d(x, weight, bias!, _stride, _padding, _added, _dilation, _options.Groups),
        };
    }

    private void Check(long[] shape)
    {
        var axes = _options.Axes;
        var fits = (shape.Length == axes + 2 || shape.Length == axes + 1) && shape[^(axes + 1)] == _options.InputChannels;
        for (var axis = 0; fits && axis < axes; axis++)
        {
            var size = shape[shape.Length - axes + axis];
            fits = size >= 1 && ((size - 1) * _stride[axis]) - (2 * _padding[axis]) + (_dilation[axis] * (_kernel[axis] - 1)) + _added[axis] + 1 >= 1;
        }
        if (!fits)
        {
            throw new ShapeException("TransposedConvolutionLayer.forward", "x", AxisSizes.Layout(axes, _options.InputChannels), shape,
                $"Each output axis, (size - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1, needs at least one entry; Padding is [{string.Join(", ", _padding)}].");
        }
    }
}

using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Convolution over one, two or three axes, <c>y[o] = bias[o] + sum over c, k of weight[o, c, k] x[c, position + k]</c>, as PyTorch's
/// Conv1d, Conv2d and Conv3d with the same keys, paddings and initial weights. Source: LeCun et al. (1989).
/// </summary>
public sealed class ConvolutionLayer : Module<Tensor, Tensor>, IWorkModule
{
    private readonly Parameter weight;
    private readonly Parameter? bias;
    private readonly ConvolutionLayerOptions _options;
    private readonly long[] _kernel, _stride, _dilation, _before, _after;
    private readonly long[]? _outside; // padding that the kernel cannot do itself, [before, after] of each axis, the last axis first

    /// <summary>Creates the layer with weights uniform in +- 1 / sqrt(fan in).</summary>
    /// <param name="options">Size and padding.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public ConvolutionLayer(ConvolutionLayerOptions options)
        : base(nameof(ConvolutionLayer))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var axes = options.Axes;
        (_kernel, _stride, _dilation) = (AxisSizes.Expand(options.KernelSize, axes), AxisSizes.Expand(options.Stride, axes), AxisSizes.Expand(options.Dilation, axes));
        (_before, _after) = Padding(options, _kernel, _dilation);
        _outside = options.PaddingMode != "zeros" || !_before.AsSpan().SequenceEqual(_after) ? PaddingLayer.LastAxisFirst(_before, _after) : null;
        var fanIn = options.InputChannels / options.Groups * _kernel.Aggregate(1L, (product, size) => product * size);
        var bound = 1 / Math.Sqrt(fanIn);
        weight = torch.empty([options.OutputChannels, options.InputChannels / options.Groups, .. _kernel]).uniform_(-bound, bound).AsOwnedParameter();
        bias = options.UseBias ? torch.empty(options.OutputChannels).uniform_(-bound, bound).AsOwnedParameter() : null;
        RegisterComponents();
    }

    /// <summary>The kernels, <c>[outputChannels, inputChannels / groups, ...]</c>.</summary>
    public Parameter Weight => weight;

    /// <inheritdoc/>
    public WorkKind Work => _options.Axes == 1 ? WorkKind.Products : WorkKind.Convolutions;

    /// <summary>Convolves.</summary>
    /// <param name="x"><c>[batch, inputChannels, ...]</c> with as many further axes as <see cref="ConvolutionLayerOptions.Axes"/>; the batch axis may be missing.</param>
    /// <returns><c>[batch, outputChannels, ...]</c>; sizes as <see cref="ConvolutionShape.Output"/> says.</returns>
    /// <exception cref="ShapeException">The layout or the number of channels differs, or the kernel does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        Check(x.Sizes());
        if (_outside is null || !_outside.Any(size => size > 0))
        {
            return Convolve(x, _before);
        }
        using var padded = functional.pad(x, _outside, PaddingLayer.Native(_options.PaddingMode));
        return Convolve(padded, new long[_options.Axes]);
    }

    private Tensor Convolve(Tensor x, long[] padding) => _options.Axes switch
    {
        1 => functional.conv1d(x, weight, bias!, _stride[0], padding[0], _dilation[0], _options.Groups),
        2 => ConvolutionOps.Run(x, weight, bias, _stride, padding, _dilation, _options.Groups),
        _ => functional.conv3d(x, weight, bias!, _stride, padding, _dilation, _options.Groups),
    };

    private static (long[] Before, long[] After) Padding(ConvolutionLayerOptions options, long[] kernel, long[] dilation)
    {
        if (options.Padding is { } given)
        {
            var sizes = AxisSizes.Expand(given, options.Axes);
            return (sizes, sizes);
        }
        var total = kernel.Zip(dilation, (size, distance) => distance * (size - 1)).ToArray();
        return ([.. total.Select(size => size / 2)], [.. total.Select(size => size - (size / 2))]);
    }

    private void Check(long[] shape)
    {
        var axes = _options.Axes;
        var fits = (shape.Length == axes + 2 || shape.Length == axes + 1) && shape[^(axes + 1)] == _options.InputChannels;
        for (var axis = 0; fits && axis < axes; axis++)
        {
            var size = shape[shape.Length - axes + axis];
            fits = ConvolutionShape.Output(size + _before[axis] + _after[axis], _kernel[axis], _stride[axis], 0, _dilation[axis]) >= 1
                && PaddingLayer.Fits(_options.PaddingMode, size, _before[axis], _after[axis]);
        }
        if (!fits)
        {
            throw new ShapeException("ConvolutionLayer.forward", "x", AxisSizes.Layout(axes, _options.InputChannels), shape, string.Create(CultureInfo.InvariantCulture,
                $"The kernel [{string.Join(", ", _kernel)}] (dilation [{string.Join(", ", _dilation)}]) must fit the input with a padding of [{string.Join(", ", _before)}]; reflected padding must be smaller than the input, circular padding at most as large."));
        }
    }
}

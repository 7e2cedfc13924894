namespace Nabla.Nn;

/// <summary>
/// Pools feature maps over one, two or three axes; the global kinds leave the axes out. As PyTorch's MaxPool, AvgPool, LPPool and
/// adaptive pools: the first of equal maxima gets the gradient, and NaN wins.
/// </summary>
public sealed class PoolLayer : Module<Tensor, Tensor>
{
    private readonly PoolingOptions _options;
    private readonly long[] _kernel, _stride, _padding, _dilation, _size;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Kind and size.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public PoolLayer(PoolingOptions options)
        : base(nameof(PoolLayer))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        var axes = options.Axes;
        (_kernel, _stride) = (AxisSizes.Expand(options.KernelSize, axes), AxisSizes.Expand(options.Stride ?? options.KernelSize, axes));
        (_padding, _dilation, _size) = (AxisSizes.Expand(options.Padding, axes), AxisSizes.Expand(options.Dilation, axes), AxisSizes.Expand(options.OutputSize, axes));
        RegisterComponents();
    }

    /// <summary>Applies the pool.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c> with as many further axes as <see cref="PoolingOptions.Axes"/>.</param>
    /// <returns><c>[batch, channels, ...]</c>, or <c>[batch, channels]</c> for a global pool.</returns>
    /// <exception cref="ShapeException">The layout differs, or the window does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        Check(x.Sizes());
        return _options.Name switch
        {
            "max" => Max(x),
            "average" => Average(x),
            "power" => _options.Axes == 1
                ? functional.lp_pool1d(x, _options.Power, _kernel[0], _stride[0], _options.UseCeiling)
                : functional.lp_pool2d(x, _options.Power, _kernel, _stride, _options.UseCeiling),
            "adaptive-max" => _options.Axes switch
            {
                1 => functional.adaptive_max_pool1d(x, Sizes(x)[0]),
                2 => functional.adaptive_max_pool2d(x, Sizes(x)),
                _ => SafeOps.AdaptiveMaxPool3d(x, Sizes(x)),
            },
            "adaptive-average" => _options.Axes switch
            {
                1 => functional.adaptive_avg_pool1d(x, Sizes(x)[0]),
                2 => functional.adaptive_avg_pool2d(x, Sizes(x)),
                _ => functional.adaptive_avg_pool3d(x, Sizes(x)),
            },
            "global-max" => x.amax(LastAxes()),
            _ => x.mean(LastAxes()),
        };
    }

    private Tensor Max(Tensor x) => _options.Axes switch
    {
        1 => functional.max_pool1d(x, _kernel[0], _stride[0], _padding[0], _dilation[0], _options.UseCeiling),
        2 => functional.max_pool2d(x, _kernel, _stride, _padding, _dilation, _options.UseCeiling),
        _ => functional.max_pool3d(x, _kernel, _stride, _padding, _dilation, _options.UseCeiling),
    };

    private Tensor Average(Tensor x) => _options.Axes switch
    {
        1 => functional.avg_pool1d(x, _kernel[0], _stride[0], _padding[0], _options.UseCeiling, _options.CountsPadding),
        2 => functional.avg_pool2d(x, _kernel, _stride, _padding, _options.UseCeiling, _options.CountsPadding, _options.Divisor),
        _ when x.dtype is ScalarType.BFloat16 or ScalarType.Float16 => Widened(x, Average), // libtorch has no such kernel on the CPU
        _ => functional.avg_pool3d(x, _kernel, _stride, _padding, _options.UseCeiling, _options.CountsPadding, _options.Divisor),
    };

    internal static Tensor Widened(Tensor x, Func<Tensor, Tensor> function)
    {
        using var wide = x.to(ScalarType.Float32);
        using var result = function(wide);
        return result.to(x.dtype);
    }

    private long[] Sizes(Tensor x) => [.. _size.Select((size, axis) => size == 0 ? x.Sizes()[axis + 2] : size)];

    private long[] LastAxes() => [.. Enumerable.Range(0, _options.Axes).Select(axis => (long)(axis - _options.Axes))];

    private void Check(long[] shape)
    {
        var fits = shape.Length == _options.Axes + 2;
        for (var axis = 0; fits && axis < _options.Axes; axis++)
        {
            fits = shape[axis + 2] >= 1 && (!_options.HasWindow || ConvolutionShape.Output(shape[axis + 2], _kernel[axis], _stride[axis], _padding[axis], _dilation[axis]) >= 1);
        }
        if (!fits)
        {
            throw new ShapeException("PoolLayer.forward", "x", AxisSizes.Layout(_options.Axes), shape, _options.HasWindow
                ? $"A window of [{string.Join(", ", _kernel)}] with padding [{string.Join(", ", _padding)}] must fit; use fewer pools or a larger input."
                : "Each pooled axis needs at least one entry.");
        }
    }
}

namespace Nabla.Nn;

/// <summary>Pools along height and width. The global kinds leave both axes out.</summary>
public sealed class Pool2d : Module<Tensor, Tensor>
{
    private readonly PoolingOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Kind and size.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public Pool2d(PoolingOptions options)
        : base(nameof(Pool2d))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        RegisterComponents();
    }

    /// <summary>Applies the pool.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>.</param>
    /// <returns><c>[batch, channels, newHeight, newWidth]</c>, or <c>[batch, channels]</c> for a global pool.</returns>
    /// <exception cref="ShapeException">The layout differs, or the window does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        PoolCheck.Fits("Pool2d.forward", "[batch, channels, height, width]", 4, x.shape, _options);
        var (kernel, stride, padding) = ((long)_options.KernelSize, (long)(_options.Stride ?? _options.KernelSize), (long)_options.Padding);
        return _options.Name switch
        {
            "max" => functional.max_pool2d(x, kernel, stride, padding),
            "average" => functional.avg_pool2d(x, kernel, stride, padding),
            "adaptive-max" => functional.adaptive_max_pool2d(x, [_options.OutputSize, _options.OutputSize]),
            "adaptive-average" => functional.adaptive_avg_pool2d(x, _options.OutputSize),
            "global-max" => x.amax([-2, -1]),
            _ => x.mean([-2, -1]),
        };
    }
}

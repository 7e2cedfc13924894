namespace Nabla.Nn;

/// <summary>Pools along time. The global kinds leave the axis out.</summary>
public sealed class Pool1d : Module<Tensor, Tensor>
{
    private readonly PoolingOptions _options;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Kind and size.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public Pool1d(PoolingOptions options)
        : base(nameof(Pool1d))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        RegisterComponents();
    }

    /// <summary>Applies the pool.</summary>
    /// <param name="x"><c>[batch, channels, time]</c>.</param>
    /// <returns><c>[batch, channels, newTime]</c>, or <c>[batch, channels]</c> for a global pool.</returns>
    /// <exception cref="ShapeException">The layout differs, or the window does not fit.</exception>
    public override Tensor forward(Tensor x)
    {
        PoolCheck.Fits("Pool1d.forward", "[batch, channels, time]", 3, x.shape, _options);
        var stride = _options.Stride ?? _options.KernelSize;
        return _options.Name switch
        {
            "max" => functional.max_pool1d(x, _options.KernelSize, stride, _options.Padding),
            "average" => functional.avg_pool1d(x, _options.KernelSize, stride, _options.Padding),
            "adaptive-max" => functional.adaptive_max_pool1d(x, _options.OutputSize),
            "adaptive-average" => functional.adaptive_avg_pool1d(x, _options.OutputSize),
            "global-max" => x.amax([-1]),
            _ => x.mean([-1]),
        };
    }
}

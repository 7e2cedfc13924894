namespace Nabla.Nn;

/// <summary>Makes feature maps larger or smaller by interpolation, as PyTorch's Upsample and interpolate.</summary>
public sealed class ResampleLayer : Module<Tensor, Tensor>
{
    private readonly ResampleOptions _options;
    private readonly long[]? _size;
    private readonly double[]? _factor;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">New sizes and the kind of interpolation.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public ResampleLayer(ResampleOptions options)
        : base(nameof(ResampleLayer))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _size = options.Size is null ? null : AxisSizes.Expand(options.Size, options.Axes);
        _factor = options.Factor is not { } factor ? null : factor.Count == 1 ? [.. Enumerable.Repeat(factor[0], options.Axes)] : [.. factor];
        RegisterComponents();
    }

    /// <summary>Resamples.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c> with as many further axes as <see cref="ResampleOptions.Axes"/>, each with at least one entry.</param>
    /// <returns><c>[batch, channels, ...]</c>; sizes are those given, or <c>floor(size * factor)</c>.</returns>
    /// <exception cref="ShapeException">The layout differs, or an axis is empty before or after.</exception>
    public override Tensor forward(Tensor x)
    {
        var sizes = Check(x.Sizes());
        if (_options.UseAntialiasing && x.dtype is ScalarType.BFloat16 or ScalarType.Float16)
        {
            return PoolLayer.Widened(x, forward); // libtorch has no such kernel on the CPU
        }
        if (_options.Mode == "nearest-exact")
        {
            return NearestExact(x, sizes);
        }
        var mode = (_options.Mode, _options.Axes) switch
        {
            ("nearest", _) => InterpolationMode.Nearest,
            ("cubic", _) => InterpolationMode.Bicubic,
            (_, 1) => InterpolationMode.Linear,
            (_, 2) => InterpolationMode.Bilinear,
            _ => InterpolationMode.Trilinear,
        };
        bool? corners = mode == InterpolationMode.Nearest ? null : _options.AlignsCorners;
        return functional.interpolate(x, _size!, _factor!, mode, corners, _options.RecomputesFactor, _options.UseAntialiasing);
    }

    /// <summary>TorchSharp 0.107 does not bind this kind: entry i comes from <c>floor((i + 0.5) / factor)</c> along each axis.</summary>
    private Tensor NearestExact(Tensor x, long[] sizes)
    {
        using var scope = NewDisposeScope();
        var y = x;
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            var size = x.Sizes()[axis + 2];
            var step = _factor is null || _options.RecomputesFactor ? (float)size / sizes[axis] : (float)(1 / _factor[axis]); // float, as in libtorch
            var places = new long[sizes[axis]];
            for (var i = 0; i < places.Length; i++)
            {
                places[i] = Math.Min((long)MathF.Floor((i + 0.5f) * step), size - 1);
            }
            y = y.index_select(axis + 2, torch.tensor(places, device: x.device));
        }
        return y.MoveToOuterDisposeScope();
    }

    private long[] Check(long[] shape)
    {
        var axes = _options.Axes;
        var sizes = new long[axes];
        var fits = shape.Length == axes + 2;
        for (var axis = 0; fits && axis < axes; axis++)
        {
            sizes[axis] = _size?[axis] ?? (long)Math.Floor(shape[axis + 2] * _factor![axis]);
            fits = shape[axis + 2] >= 1 && sizes[axis] >= 1;
        }
        return fits ? sizes : throw new ShapeException("ResampleLayer.forward", "x", AxisSizes.Layout(axes), shape, "Each resampled axis needs at least one entry before and after.");
    }
}

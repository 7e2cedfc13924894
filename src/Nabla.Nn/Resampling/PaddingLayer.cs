namespace Nabla.Nn;

/// <summary>Adds entries around the last axes, or cuts them, as PyTorch's ReflectionPad, ReplicationPad, CircularPad, ConstantPad and ZeroPad.</summary>
public sealed class PaddingLayer : Module<Tensor, Tensor>
{
    private readonly PaddingOptions _options;
    private readonly long[] _sizes;

    /// <summary>Creates the layer.</summary>
    /// <param name="options">Sizes and content.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public PaddingLayer(PaddingOptions options)
        : base(nameof(PaddingLayer))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _sizes = [.. options.Sizes.Select(size => (long)size)];
        RegisterComponents();
    }

    /// <summary>Pads.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c>.</param>
    /// <returns>The shape of <paramref name="x"/> with larger or smaller last axes.</returns>
    /// <exception cref="ShapeException">There are too few axes, one is too short to be reflected or repeated, or nothing would be left.</exception>
    public override Tensor forward(Tensor x)
    {
        var shape = x.Sizes();
        var axes = _sizes.Length / 2;
        var fits = shape.Length >= axes + (_options.Mode == "zeros" ? 0 : 1);
        for (var axis = 1; fits && axis <= axes; axis++)
        {
            var (size, before, after) = (shape[^axis], _sizes[2 * (axis - 1)], _sizes[(2 * (axis - 1)) + 1]);
            fits = size + before + after >= 1 && size + Math.Min(before, 0) >= 0 && size + Math.Min(after, 0) >= 0 && Fits(_options.Mode, size, before, after);
        }
        return fits
            ? functional.pad(x, _sizes, Native(_options.Mode), _options.Value)
            : throw new ShapeException("PaddingLayer.forward", nameof(x), AxisSizes.Layout(axes), shape,
                $"Mode {_options.Mode} with sizes [{string.Join(", ", _sizes)}]: what is reflected must be smaller than the axis, what goes round at most as large, and something must be left.");
    }

    /// <summary>Whether an axis is long enough for its padding.</summary>
    internal static bool Fits(string mode, long size, long before, long after) => mode switch
    {
        "reflect" => Math.Max(before, after) < size,
        "circular" => Math.Max(before, after) <= size,
        "replicate" => size >= 1,
        _ => true,
    };

    internal static PaddingModes Native(string mode) => mode switch
    {
        "reflect" => PaddingModes.Reflect,
        "replicate" => PaddingModes.Replicate,
        "circular" => PaddingModes.Circular,
        _ => PaddingModes.Constant,
    };

    /// <summary>Padding in the order that libtorch wants: before and after, the last axis first.</summary>
    internal static long[] LastAxisFirst(long[] before, long[] after)
    {
        var sizes = new long[2 * before.Length];
        for (var axis = 0; axis < before.Length; axis++)
        {
            var place = 2 * (before.Length - 1 - axis);
            (sizes[place], sizes[place + 1]) = (before[axis], after[axis]);
        }
        return sizes;
    }
}

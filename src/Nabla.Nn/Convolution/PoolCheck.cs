using System.Globalization;

namespace Nabla.Nn;

/// <summary>Shape check of the pools.</summary>
internal static class PoolCheck
{
    /// <summary>Throws unless the input has the layout and every window fits.</summary>
    public static void Fits(string where, string layout, int axes, long[] shape, PoolingOptions options)
    {
        var isWindow = options.Name is "max" or "average";
        var fits = shape.Length == axes;
        for (var axis = 2; fits && axis < shape.Length; axis++)
        {
            fits = isWindow ? ConvolutionShape.Output(shape[axis], options.KernelSize, options.Stride ?? options.KernelSize, options.Padding) >= 1 : shape[axis] >= 1;
        }
        if (!fits)
        {
            throw new ShapeException(where, "x", layout, shape,
                isWindow ? string.Create(CultureInfo.InvariantCulture, $"A window of {options.KernelSize} with padding {options.Padding} must fit; use fewer pools or a larger input.") : "Each pooled axis needs at least one entry.");
        }
    }
}

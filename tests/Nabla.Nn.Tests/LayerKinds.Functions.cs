using System.Text.Json;
using static TorchSharp.torch.nn;
using Outputs = System.Collections.Generic.Dictionary<string, TorchSharp.torch.Tensor>;

namespace Nabla.Nn.Tests;

internal static partial class LayerKinds
{
    private static Outputs Convolve(LayerCase c)
    {
        var axes = c.Golden.Text("kind")![^2] - '0';
        var (kernel, stride, dilation) = (c.Options.Integers("kernel_size", axes)!, c.Options.Integers("stride", axes) ?? Fill(axes, 1), c.Options.Integers("dilation", axes) ?? Fill(axes, 1));
        var (x, weight, bias, groups) = (c.Input("x"), c.Parameter("weight")!, c.Parameter("bias"), c.Options.Integer("groups", 1));
        // [before, after] for each axis, the last one first, as pad wants it; even kernels get one more behind.
        var padding = new long[2 * axes];
        for (var axis = 0; axis < axes; axis++)
        {
            var total = dilation[axis] * (kernel[axis] - 1);
            var (before, after) = c.Options.Get("padding") switch
            {
                null => (0L, 0L),
                { ValueKind: JsonValueKind.String } name => name.GetString() == "same" ? (total / 2, total - (total / 2)) : (0, 0),
                _ => (c.Options.Integers("padding", axes)![axis], c.Options.Integers("padding", axes)![axis]),
            };
            (padding[2 * (axes - 1 - axis)], padding[(2 * (axes - 1 - axis)) + 1]) = (before, after);
        }
        if (padding.Any(size => size > 0))
        {
            x = functional.pad(x, padding, c.Options.Text("padding_mode", "zeros") switch
            {
                "reflect" => PaddingModes.Reflect,
                "replicate" => PaddingModes.Replicate,
                "circular" => PaddingModes.Circular,
                _ => PaddingModes.Constant,
            });
        }
        return One(axes switch
        {
            1 => functional.conv1d(x, weight, bias!, stride[0], 0, dilation[0], groups),
            2 => functional.conv2d(x, weight, bias!, stride, Fill(2, 0), dilation, groups),
            _ => functional.conv3d(x, weight, bias!, stride, Fill(3, 0), dilation, groups),
        });
    }

    private static Outputs Transposed(LayerCase c)
    {
        var axes = c.Golden.Text("kind")![^2] - '0';
        long[] Get(string name, long fallback) => c.Options.Integers(name, axes) ?? Fill(axes, fallback);
        var (stride, padding, extra, dilation) = (Get("stride", 1), Get("padding", 0), Get("output_padding", 0), Get("dilation", 1));
        var (x, weight, bias, groups) = (c.Input("x"), c.Parameter("weight")!, c.Parameter("bias"), c.Options.Integer("groups", 1));
        return One(axes switch
        {
            1 => functional.conv_transpose1d(x, weight, bias!, stride[0], padding[0], extra[0], dilation[0], groups),
            2 => functional.conv_transpose2d(x, weight, bias!, stride, padding, extra, dilation, groups),
            _ => functional.conv_transpose3d(x, weight, bias!, stride, padding, extra, dilation, groups),
        });
    }

    private static Outputs Pool(LayerCase c)
    {
        var kind = c.Golden.Text("kind")!;
        var axes = kind[^2] - '0';
        var x = c.Input("x");
        long[]? kernel = c.Options.Integers("kernel_size", axes), stride = c.Options.Integers("stride", axes) ?? kernel;
        long[] padding = c.Options.Integers("padding", axes) ?? Fill(axes, 0), dilation = c.Options.Integers("dilation", axes) ?? Fill(axes, 1);
        var (isCeiling, countsPadding) = (c.Options.Boolean("ceil_mode", false), c.Options.Boolean("count_include_pad", true));
        long? divisor = c.Options.Get("divisor_override")?.GetInt64();
        // A size of null (-1 here) keeps the input's.
        long[]? size = c.Options.Integers("output_size", axes)?.Select((wanted, axis) => wanted < 0 ? x.shape[axis + 2] : wanted).ToArray();
        return One(kind switch
        {
            "MaxPool1d" => functional.max_pool1d(x, kernel![0], stride![0], padding[0], dilation[0], isCeiling),
            "MaxPool2d" => functional.max_pool2d(x, kernel!, stride!, padding, dilation, isCeiling),
            "MaxPool3d" => functional.max_pool3d(x, kernel!, stride!, padding, dilation, isCeiling),
            "AvgPool1d" => functional.avg_pool1d(x, kernel![0], stride![0], padding[0], isCeiling, countsPadding),
            "AvgPool2d" => functional.avg_pool2d(x, kernel!, stride!, padding, isCeiling, countsPadding, divisor),
            "AvgPool3d" => functional.avg_pool3d(x, kernel!, stride!, padding, isCeiling, countsPadding, divisor),
            "AdaptiveAvgPool1d" => functional.adaptive_avg_pool1d(x, size![0]),
            "AdaptiveAvgPool2d" => functional.adaptive_avg_pool2d(x, size!),
            "AdaptiveMaxPool1d" => functional.adaptive_max_pool1d(x, size![0]),
            "AdaptiveMaxPool2d" => functional.adaptive_max_pool2d(x, size!),
            _ => functional.lp_pool2d(x, c.Options.Number("norm_type", 2), kernel!, stride!, isCeiling),
        });
    }

    private static Outputs Resample(LayerCase c)
    {
        var axes = (int)c.Input("x").Dimensions - 2;
        var mode = c.Options.Text("mode", "nearest") switch
        {
            "nearest" => InterpolationMode.Nearest,
            "linear" => InterpolationMode.Linear,
            "bilinear" => InterpolationMode.Bilinear,
            "bicubic" => InterpolationMode.Bicubic,
            "trilinear" => InterpolationMode.Trilinear,
            var other => throw new NotOfferedException("resampling mode " + other),
        };
        double[]? factors = c.Options.Get("scale_factor") is { } factor ? [.. Enumerable.Repeat(factor.GetDouble(), axes)] : null;
        bool? corners = mode == InterpolationMode.Nearest ? null : c.Options.Boolean("align_corners", false);
        return One(functional.interpolate(c.Input("x"), c.Options.Integers("size", axes)!, factors!, mode, corners, c.Options.Boolean("recompute_scale_factor", false)));
    }

    private static Outputs Padded(LayerCase c, PaddingModes mode)
        => One(functional.pad(c.Input("x"), c.Options.Integers("padding", 4)!, mode, c.Options.Number("value", 0)));

    private static (long, long) Pair(LayerCase c, string name, long fallback)
    {
        var values = c.Options.Integers(name, 2) ?? Fill(2, fallback);
        return (values[0], values[1]);
    }

    private static long[] Fill(int count, long value) => [.. Enumerable.Repeat(value, count)];
}

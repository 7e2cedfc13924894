using System.Text.Json;
using Outputs = System.Collections.Generic.Dictionary<string, TorchSharp.torch.Tensor>;

namespace Nabla.Nn.Tests;

internal static partial class LayerKinds
{
    private static Outputs Convolve(LayerCase c)
    {
        var axes = c.Golden.Text("kind")![^2] - '0';
        return One(c.Load(new ConvolutionLayer(new()
        {
            Axes = axes,
            InputChannels = (int)c.Options.Integer("in_channels", 1),
            OutputChannels = (int)c.Options.Integer("out_channels", 1),
            KernelSize = Sizes(c, "kernel_size", axes) ?? [1],
            Stride = Sizes(c, "stride", axes) ?? [1],
            Dilation = Sizes(c, "dilation", axes) ?? [1],
            Padding = c.Options.Get("padding") is { ValueKind: JsonValueKind.String } name ? (name.GetString() == "same" ? null : [0]) : Sizes(c, "padding", axes) ?? [0],
            PaddingMode = c.Options.Text("padding_mode", "zeros"),
            Groups = (int)c.Options.Integer("groups", 1),
            UseBias = c.Options.Boolean("bias", true),
        })).call(c.Input("x")));
    }

    private static Outputs Transposed(LayerCase c)
    {
        var axes = c.Golden.Text("kind")![^2] - '0';
        return One(c.Load(new TransposedConvolutionLayer(new()
        {
            Axes = axes,
            InputChannels = (int)c.Options.Integer("in_channels", 1),
            OutputChannels = (int)c.Options.Integer("out_channels", 1),
            KernelSize = Sizes(c, "kernel_size", axes) ?? [1],
            Stride = Sizes(c, "stride", axes) ?? [1],
            Padding = Sizes(c, "padding", axes) ?? [0],
            OutputPadding = Sizes(c, "output_padding", axes) ?? [0],
            Dilation = Sizes(c, "dilation", axes) ?? [1],
            Groups = (int)c.Options.Integer("groups", 1),
            UseBias = c.Options.Boolean("bias", true),
        })).call(c.Input("x")));
    }

    private static Outputs Pool(LayerCase c)
    {
        var kind = c.Golden.Text("kind")!;
        var axes = kind[^2] - '0';
        return One(new PoolLayer(new()
        {
            Axes = axes,
            Name = (kind.StartsWith("Adaptive", StringComparison.Ordinal) ? "adaptive-" : "")
                + (kind.Contains("Max", StringComparison.Ordinal) ? "max" : kind.Contains("Avg", StringComparison.Ordinal) ? "average" : "power"),
            KernelSize = Sizes(c, "kernel_size", axes) ?? [1],
            Stride = Sizes(c, "stride", axes),
            Padding = Sizes(c, "padding", axes) ?? [0],
            Dilation = Sizes(c, "dilation", axes) ?? [1],
            UseCeiling = c.Options.Boolean("ceil_mode", false),
            CountsPadding = c.Options.Boolean("count_include_pad", true),
            Divisor = c.Options.Get("divisor_override")?.GetInt32(),
            Power = c.Options.Number("norm_type", 2),
            OutputSize = [.. (Sizes(c, "output_size", axes) ?? [1]).Select(size => Math.Max(size, 0))], // null (-1 here) keeps the input's size
        }).call(c.Input("x")));
    }

    private static Outputs Resample(LayerCase c)
    {
        var axes = (int)c.Input("x").Dimensions - 2;
        return One(new ResampleLayer(new()
        {
            Axes = axes,
            Size = Sizes(c, "size", axes),
            Factor = c.Options.Get("scale_factor") is { } factor ? [factor.GetDouble()] : null,
            Mode = c.Options.Text("mode", "nearest") switch { "bilinear" or "trilinear" => "linear", "bicubic" => "cubic", var other => other },
            AlignsCorners = c.Options.Boolean("align_corners", false),
            RecomputesFactor = c.Options.Boolean("recompute_scale_factor", false),
        }).call(c.Input("x")));
    }

    private static Outputs Padded(LayerCase c, string mode)
        => One(new PaddingLayer(new() { Sizes = Sizes(c, "padding", 4)!, Mode = mode, Value = c.Options.Number("value", 0) }).call(c.Input("x")));

    private static (int, int) Pair(LayerCase c, string name, int fallback)
    {
        var values = Sizes(c, name, 2) ?? [fallback, fallback];
        return (values[0], values[1]);
    }

    private static int[]? Sizes(LayerCase c, string name, int axes) => c.Options.Integers(name, axes)?.Select(size => (int)size).ToArray();
}

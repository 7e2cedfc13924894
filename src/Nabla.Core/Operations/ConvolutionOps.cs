using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>
/// Convolutions over pictures. Training in mixed precision on a processor with matrix tiles takes an own kernel for the gradient of the weight; everywhere else they are
/// libtorch's operation. Through the kernel a forward pass can be passed backwards once, and gradients have no gradients; <see cref="FusedOperations"/> switches it off.
/// </summary>
public static class ConvolutionOps
{
    private const int FewestChannels = 32, ManyChannels = 64; // of input and output
    private const int ManyPixels = 400; // of an output; with few channels libtorch's kernel is the faster one on larger pictures

    /// <summary><c>y[n, o, i, j] = bias[o] + sum over c, k, l of weight[o, c, k, l] x[n, c, i stride + k - padding, j stride + l - padding]</c>.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>, or without the batch axis.</param>
    /// <param name="weight"><c>[outputs, channels / groups, kernel height, kernel width]</c>.</param>
    /// <param name="bias"><c>[outputs]</c>, or null.</param>
    /// <param name="stride">Distance of outputs, of each axis.</param>
    /// <param name="padding">Zeros around the input, of each axis.</param>
    /// <param name="dilation">Distance of the kernel's entries, of each axis.</param>
    /// <param name="groups">Groups of channels that do not see each other.</param>
    /// <returns><c>[batch, outputs, height, width]</c>.</returns>
    public static Tensor Run(Tensor x, Tensor weight, Tensor? bias, long[] stride, long[] padding, long[] dilation, long groups)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(stride);
        ArgumentNullException.ThrowIfNull(padding);
        ArgumentNullException.ThrowIfNull(dilation);
        return groups == 1 && dilation is [1, 1] && CanFuse(x, weight, bias) && PlanOf(x, weight, stride, padding) is { } plan && IsFaster(plan)
            ? ConvolutionFunction.Apply(x, weight, bias, plan, stride, padding)
            : nn.functional.conv2d(x, weight, bias!, stride, padding, dilation, groups);
    }

    private static bool CanFuse(Tensor x, Tensor weight, Tensor? bias)
        => FusedOperations.AreEnabled && TileProduct.IsAvailable && x.device_type == DeviceType.CPU && is_grad_enabled() && weight.requires_grad
            && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16 && x.dim() == 4 && TensorMemory.Fits(x)
            && weight.dtype == ScalarType.Float32 && weight.dim() == 4 && weight.is_contiguous() && weight.size(1) == x.size(1) && ChannelsLast.IsArranged(x)
            && bias is null or { dtype: ScalarType.Float32 };

    /// <summary>Whether the kernel is faster than libtorch's: measured, see docs/performance.md.</summary>
    private static bool IsFaster(ConvolutionPlan plan)
    {
        var channels = Math.Min(plan.Inputs, plan.Outputs);
        return (plan.Taps > 1 || plan.HasStride) && channels >= FewestChannels && (channels >= ManyChannels || (long)plan.Rows.Outputs * plan.Columns.Outputs <= ManyPixels);
    }

    /// <summary>The plan; null where the kernel does not fit the input or is larger than numbers allow, for libtorch to say so.</summary>
    private static ConvolutionPlan? PlanOf(Tensor x, Tensor weight, long[] stride, long[] padding)
    {
        var (shape, kernel) = (x.Sizes(), weight.Sizes());
        if (stride is not [> 0, > 0] || padding is not [>= 0, >= 0] || shape[2] + (2 * padding[0]) < kernel[2] || shape[3] + (2 * padding[1]) < kernel[3])
        {
            return null;
        }
        ConvolutionPlan plan = new((int)shape[0], (int)shape[1], (int)kernel[0],
            new((int)shape[2], (int)kernel[2], (int)stride[0], (int)padding[0]), new((int)shape[3], (int)kernel[3], (int)stride[1], (int)padding[1]));
        return (long)plan.Batch * plan.Grid * Math.Max(plan.Inputs, plan.Outputs) < int.MaxValue / 2 ? plan : null;
    }
}

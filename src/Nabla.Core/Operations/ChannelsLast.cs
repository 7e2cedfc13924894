namespace Nabla.Core;

/// <summary>
/// The memory layout of feature maps. Convolutions, norms and pools of libtorch work in the layout they are given; with the channels of a
/// pixel side by side its convolution kernels need no rearranging before and after each call, and norms and pools run in vectors.
/// </summary>
public static class ChannelsLast
{
    /// <summary>The same pictures with the channels of each pixel side by side where that is faster, else as they are.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>; other shapes are handed back.</param>
    /// <returns>The same shape and values; the caller owns it.</returns>
    public static Tensor Prefer(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return FusedOperations.AreEnabled && x.device_type == DeviceType.CPU && x.dim() == 4 && x.is_floating_point() ? Arrange(x) : x.alias();
    }

    /// <summary>Whether the channels of each pixel lie side by side, and pixels and rows without gaps.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>.</param>
    internal static bool IsArranged(Tensor x)
        => x.Sizes() is [_, var channels, var height, var width] && x.stride() is [var picture, 1, var row, var pixel]
            && pixel == channels && row == width * channels && picture == height * width * channels;

    /// <summary>The same pictures with the channels of each pixel side by side; themselves where they are.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>.</param>
    internal static Tensor Arrange(Tensor x)
    {
        if (IsArranged(x))
        {
            return x.alias();
        }
        using var scope = NewDisposeScope();
        if (x.Sizes() is [var batch, 1, var height, var width])
        {
            // One channel lies the same way in both layouts; only the strides tell libtorch which one is meant.
            return x.contiguous().as_strided([batch, 1, height, width], [height * width, 1, width, 1], x.contiguous().storage_offset()).MoveToOuterDisposeScope();
        }
        return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }
}

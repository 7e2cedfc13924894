using System.Globalization;

namespace Nabla.Nn;

/// <summary>Moves entries between channels and places without changing them. Thread-safe.</summary>
public static class Rearrangements
{
    /// <summary>Channels become places: <c>[batch, channels * factor^2, height, width]</c> to <c>[batch, channels, height * factor, width * factor]</c>. Source: Shi et al. (2016), arXiv:1609.05158.</summary>
    /// <param name="x">Pictures; channels a multiple of the square of <paramref name="factor"/>.</param>
    /// <param name="factor">How many times larger, at least 1.</param>
    /// <exception cref="ShapeException">The shape does not fit the factor.</exception>
    public static Tensor PixelShuffle(Tensor x, int factor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        return x.Sizes() is [.., var channels, _, _] && channels % ((long)factor * factor) == 0
            ? functional.pixel_shuffle(x, factor)
            : throw Wrong(nameof(PixelShuffle), x, $"[batch, channels, height, width] with channels a multiple of {factor * factor}");
    }

    /// <summary>Places become channels: the inverse of <see cref="PixelShuffle"/>.</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>; height and width multiples of <paramref name="factor"/>.</param>
    /// <param name="factor">How many times smaller, at least 1.</param>
    /// <exception cref="ShapeException">The shape does not fit the factor.</exception>
    public static Tensor PixelUnshuffle(Tensor x, int factor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(factor, 1);
        return x.Sizes() is [.., _, var height, var width] && height % factor == 0 && width % factor == 0
            ? functional.pixel_unshuffle(x, factor)
            : throw Wrong(nameof(PixelUnshuffle), x, $"[batch, channels, height, width] with height and width multiples of {factor}");
    }

    /// <summary>Mixes the channels of groups: channel <c>g * n + i</c> goes to <c>i * groups + g</c>. Source: Zhang et al. (2017), arXiv:1707.01083.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c>.</param>
    /// <param name="groups">Groups, at least 1; channels are a multiple of it.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">The channels are no multiple of the groups.</exception>
    public static Tensor ChannelShuffle(Tensor x, int groups)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(groups, 1);
        if (x.Sizes() is not [var batch, var channels, .. var rest] || channels % groups != 0)
        {
            throw Wrong(nameof(ChannelShuffle), x, $"[batch, channels, ...] with channels a multiple of {groups}");
        }
        using var scope = NewDisposeScope();
        return x.reshape([batch, groups, channels / groups, .. rest]).transpose(1, 2).reshape(x.Sizes()).MoveToOuterDisposeScope();
    }

    /// <summary>Cuts pictures into overlapping patches (im2col).</summary>
    /// <param name="x"><c>[batch, channels, height, width]</c>.</param>
    /// <param name="kernelSize">Height and width of a patch.</param>
    /// <param name="stride">Step; default 1.</param>
    /// <param name="padding">Zeros on each side; default 0.</param>
    /// <param name="dilation">Distance of a patch's entries; default 1.</param>
    /// <returns><c>[batch, channels * patch entries, patches]</c>.</returns>
    /// <exception cref="ShapeException">The layout differs, or no patch fits.</exception>
    public static Tensor Unfold(Tensor x, (int Height, int Width) kernelSize, (int Height, int Width)? stride = null, (int Height, int Width)? padding = null, (int Height, int Width)? dilation = null)
    {
        var (s, p, d) = (stride ?? (1, 1), padding ?? (0, 0), dilation ?? (1, 1));
        var fits = x.Sizes() is [_, _, var height, var width]
            && ConvolutionShape.Output(height, kernelSize.Height, s.Height, p.Height, d.Height) >= 1
            && ConvolutionShape.Output(width, kernelSize.Width, s.Width, p.Width, d.Width) >= 1;
        return fits
            ? functional.unfold(x, kernelSize, d, p, s)
            : throw Wrong(nameof(Unfold), x, $"[batch, channels, height, width] that holds a patch of {kernelSize}");
    }

    /// <summary>Adds overlapping patches up to pictures: the gradient of <see cref="Unfold"/> (col2im).</summary>
    /// <param name="x"><c>[batch, channels * patch entries, patches]</c>.</param>
    /// <param name="outputSize">Height and width of the pictures.</param>
    /// <param name="kernelSize">Height and width of a patch.</param>
    /// <param name="stride">Step; default 1.</param>
    /// <param name="padding">Zeros on each side; default 0.</param>
    /// <param name="dilation">Distance of a patch's entries; default 1.</param>
    /// <returns><c>[batch, channels, height, width]</c>.</returns>
    /// <exception cref="ShapeException">The number of patches is not that of the sizes.</exception>
    public static Tensor Fold(Tensor x, (int Height, int Width) outputSize, (int Height, int Width) kernelSize, (int Height, int Width)? stride = null, (int Height, int Width)? padding = null, (int Height, int Width)? dilation = null)
    {
        var (s, p, d) = (stride ?? (1, 1), padding ?? (0, 0), dilation ?? (1, 1));
        var patches = ConvolutionShape.Output(outputSize.Height, kernelSize.Height, s.Height, p.Height, d.Height) * ConvolutionShape.Output(outputSize.Width, kernelSize.Width, s.Width, p.Width, d.Width);
        var entries = (long)kernelSize.Height * kernelSize.Width;
        return x.Sizes() is [_, var features, var count] && features % entries == 0 && count == patches && patches >= 1
            ? functional.fold(x, outputSize, kernelSize, d, p, s)
            : throw Wrong(nameof(Fold), x, string.Create(CultureInfo.InvariantCulture, $"[batch, channels * {entries}, patches={patches}]"));
    }

    private static ShapeException Wrong(string method, Tensor x, string expected) => new("Rearrangements." + method, nameof(x), expected, x.Sizes());
}

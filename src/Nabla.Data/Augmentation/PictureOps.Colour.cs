using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Colour changes of pictures whose pixels are in [0, 1]; factors are <c>[batch, 1, 1, 1]</c>. Formulas of torchvision's tensor transforms
/// (Marcel and Rodriguez, 2010, and its source).
/// </summary>
internal static partial class PictureOps
{
    /// <summary>Multiplies all channels.</summary>
    public static Tensor Brightness(Tensor pictures, Tensor factors) => (pictures * factors).clamp_(Number.Of(0), Number.Of(1));

    /// <summary>Moves away from (factor above 1) or towards (below 1) the picture's mean lightness.</summary>
    public static Tensor Contrast(Tensor pictures, Tensor factors)
        => Blend(pictures, Grey(pictures).mean([1L, 2L, 3L], keepdim: true), factors);

    /// <summary>Moves away from or towards the grey picture. Needs red, green and blue.</summary>
    public static Tensor Saturation(Tensor pictures, Tensor factors) => Blend(pictures, Grey(pictures), factors);

    /// <summary>Turns the hue by a share of the colour circle in [-0.5, 0.5]. Needs red, green and blue.</summary>
    public static Tensor Hue(Tensor pictures, Tensor shifts)
    {
        var (red, green, blue) = (pictures.narrow(1, 0, 1), pictures.narrow(1, 1, 1), pictures.narrow(1, 2, 1)); // [batch, 1, height, width]
        var (high, low) = (pictures.amax([1L], true), pictures.amin([1L], true));
        var range = high - low;
        var saturation = range / torch.where(high == Number.Of(0), ones_like(high), high);
        var divisor = torch.where(range == Number.Of(0), ones_like(range), range);
        var (r, g, b) = ((high - red) / divisor, (high - green) / divisor, (high - blue) / divisor);
        var sector = torch.where(high == red, b - g, torch.where(high == green, r - b + Number.Of(2), g - r + Number.Of(4))); // -1 to 5, in sixths of the circle
        var hue = ((sector / Number.Of(6)) + shifts).remainder(Number.Of(1.0)) * Number.Of(6); // [0, 6)
        // Each channel is high - high * saturation * k(hue), a trapezoid of the hue (Smith, 1978).
        return torch.cat([Channel(5), Channel(3), Channel(1)], 1).clamp_(Number.Of(0), Number.Of(1));

        Tensor Channel(int offset)
        {
            var k = (hue + Number.Of(offset)).remainder(Number.Of(6.0));
            return high - (high * saturation * torch.minimum(k, Number.Of(4) - k).clamp_(Number.Of(0), Number.Of(1)));
        }
    }

    private static Tensor Blend(Tensor pictures, Tensor other, Tensor factors) => ((pictures * factors) + (other * (Number.Of(1) - factors))).clamp_(Number.Of(0), Number.Of(1));

    /// <summary>Lightness by Rec. 601, <c>[batch, 1, height, width]</c>; the mean of the channels when they are not three.</summary>
    private static Tensor Grey(Tensor pictures) => pictures.Sizes()[1] == 3
        ? (pictures.narrow(1, 0, 1) * Number.Of(0.2989f)) + (pictures.narrow(1, 1, 1) * Number.Of(0.587f)) + (pictures.narrow(1, 2, 1) * Number.Of(0.114f))
        : pictures.mean([1L], keepdim: true);
}

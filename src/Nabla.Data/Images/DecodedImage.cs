namespace Nabla.Data;

/// <summary>A picture in memory.</summary>
/// <param name="Pixels">Values 0 to 255, <c>[channels, height, width]</c> in this order.</param>
/// <param name="Channels">Colour channels, 1 or 3.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Width">Width in pixels.</param>
/// <param name="Frames">Frames of the file; above 1 it is animated and this is its first frame.</param>
public sealed record DecodedImage(byte[] Pixels, int Channels, int Height, int Width, int Frames = 1)
{
    /// <summary>The pixels as a tensor <c>[channels, height, width]</c>, uint8; the caller owns it.</summary>
    public Tensor ToTensor() => torch.tensor(Pixels, [Channels, Height, Width]);

    /// <summary>A part of this picture.</summary>
    /// <param name="top">First row.</param>
    /// <param name="left">First column.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is empty or leaves the picture.</exception>
    public DecodedImage Crop(int top, int left, int height, int width)
    {
        if (top < 0 || left < 0 || height < 1 || width < 1 || top > Height - height || left > Width - width)
        {
            throw new ArgumentOutOfRangeException(nameof(top), $"DecodedImage.Crop: expected a part of {Height} x {Width} pixels, got {height} x {width} at row {top}, column {left}.");
        }
        var part = new byte[Channels * height * width];
        for (var row = 0; row < Channels * height; row++)
        {
            Pixels.AsSpan(((((row / height) * Height) + top + (row % height)) * Width) + left, width).CopyTo(part.AsSpan(row * width));
        }
        return this with { Pixels = part, Height = height, Width = width };
    }
}

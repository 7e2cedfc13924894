using Nabla.Core;
using SkiaSharp;

namespace Nabla.Data;

/// <summary>Writes pictures as PNG.</summary>
public static class PngFile
{
    /// <summary>The bytes of a PNG file.</summary>
    /// <param name="picture">A picture <c>[channels, height, width]</c> of 1 or 3 channels, or <c>[height, width]</c>: uint8, or numbers where 0 is dark and 1 is bright (others are clipped, not-a-number is dark).</param>
    /// <exception cref="ShapeException">The tensor is no such picture.</exception>
    public static byte[] Encode(Tensor picture)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using var scope = NewDisposeScope();
        var planes = picture.dim() == 2 ? picture.unsqueeze(0) : picture;
        if (planes.Sizes() is not [1 or 3, >= 1, >= 1])
        {
            throw new ShapeException("PngFile.Encode", nameof(picture), "[channels=1 or 3, height, width]", picture.Sizes(), "Take one picture of the batch.");
        }
        var bytes = planes.dtype == uint8
            ? planes.to(CPU)
            : planes.detach().to(float32, CPU).nan_to_num(0, 1, 0).clamp_(Number.Of(0), Number.Of(1)).mul_(Number.Of(255)).round_().to_type(uint8);
        return Encode(bytes.contiguous().data<byte>().ToArray(), (int)planes.Sizes()[0], (int)planes.Sizes()[1], (int)planes.Sizes()[2]);
    }

    /// <summary>The bytes of a PNG file.</summary>
    /// <param name="pixels">Values 0 to 255, <c>[channels, height, width]</c> in this order.</param>
    /// <param name="channels">Colour channels, 1 or 3.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together.</exception>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int channels, int height, int width)
    {
        if (channels is not (1 or 3) || height < 1 || width < 1 || pixels.Length != (long)channels * height * width)
        {
            throw new ArgumentException($"PngFile.Encode: expected channels (1 or 3) x height x width values, got {pixels.Length} values for {channels} x {height} x {width}.", nameof(pixels));
        }
        var area = height * width;
        var info = new SKImageInfo(width, height, channels == 1 ? SKColorType.Gray8 : SKColorType.Rgba8888, SKAlphaType.Opaque);
        var colours = new byte[info.BytesSize64];
        if (channels == 1)
        {
            pixels.CopyTo(colours);
        }
        for (var i = 0; channels == 3 && i < area; i++)
        {
            (colours[4 * i], colours[(4 * i) + 1], colours[(4 * i) + 2], colours[(4 * i) + 3]) = (pixels[i], pixels[area + i], pixels[(2 * area) + i], 255);
        }
        using var image = SKImage.FromPixelCopy(info, colours);
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    /// <summary>Writes a PNG file; it appears under its name only when it is complete.</summary>
    /// <param name="path">Path of the file; its folder must exist.</param>
    /// <param name="picture">The picture, as in <see cref="Encode(Tensor)"/>.</param>
    /// <exception cref="ShapeException">The tensor is no picture.</exception>
    public static void Write(string path, Tensor picture)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var bytes = Encode(picture);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}

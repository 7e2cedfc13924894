using Nabla.Core;
using SkiaSharp;

namespace Nabla.Data;

/// <summary>
/// Reads picture files: PNG, JPEG, GIF, WebP and BMP, recognised by their content. EXIF orientation is applied, CMYK and 16-bit
/// pictures become 8-bit colours, transparency is laid over a background, colour profiles are ignored, and of an animated file the
/// first frame is taken. Thread-safe.
/// </summary>
public static class ImageFile
{
    /// <summary>Endings of the files that are read, in lower case, with the dot.</summary>
    public static IReadOnlyCollection<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"];

    /// <summary>Reads a picture from a file.</summary>
    /// <param name="path">Path of the file.</param>
    /// <param name="options">How it becomes pixels; null for the defaults.</param>
    /// <exception cref="DataException">The file is missing, is no picture, is damaged or truncated, or declares too many pixels. The message names it.</exception>
    public static DecodedImage Read(string path, ImageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path}: the file cannot be read: {exception.Message}", exception);
        }
        return Decode(bytes, path, options);
    }

    /// <summary>Decodes a picture in memory.</summary>
    /// <param name="bytes">The content of a picture file.</param>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="options">How it becomes pixels; null for the defaults.</param>
    /// <exception cref="DataException">The content is no picture, is damaged or truncated, or declares too many pixels.</exception>
    public static DecodedImage Decode(ReadOnlySpan<byte> bytes, string name, ImageOptions? options = null)
    {
        options ??= new();
        options.Validate();
        if (bytes.IsEmpty)
        {
            throw new DataException($"{name}: expected a picture, got an empty file.");
        }
        using var data = SKData.CreateCopy(bytes);
        using var codec = SKCodec.Create(data) ?? throw new DataException(
            $"{name}: expected a PNG, JPEG, GIF, WebP or BMP picture, but its {bytes.Length} bytes are none, or its header is damaged. Remove the file or fetch it again.");
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > options.MaxPixels)
        {
            throw new DataException($"{name}: its header declares {width} x {height} pixels, more than the {options.MaxPixels} allowed (ImageOptions.MaxPixels). Scale the picture down, or raise the limit if it is what you want.");
        }
        // No colour space in the target: the stored values, without a conversion by profile.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var colours = new byte[info.BytesSize64];
        SKCodecResult result;
        unsafe
        {
            fixed (byte* address = colours)
            {
                result = codec.GetPixels(info, (nint)address);
            }
        }
        return result switch
        {
            SKCodecResult.Success => Convert(colours, width, height, codec.EncodedOrigin, options, Math.Max(1, codec.FrameCount)),
            SKCodecResult.IncompleteInput => throw new DataException($"{name}: the picture of {width} x {height} pixels is truncated: the file ends before its last row. Fetch it again."),
            _ => throw new DataException($"{name}: the picture of {width} x {height} pixels cannot be decoded ({result}). The file is damaged; fetch it again."),
        };
    }

    /// <summary>From interleaved colours with transparency to upright planes.</summary>
    private static DecodedImage Convert(byte[] colours, int width, int height, SKEncodedOrigin origin, ImageOptions options, int frames)
    {
        // Where the upright picture's first pixel lies in the stored one, and how far apart its columns and rows are there.
        var (start, column, row) = origin switch
        {
            SKEncodedOrigin.TopRight => (width - 1, -1, width),
            SKEncodedOrigin.BottomRight => ((width * height) - 1, -1, -width),
            SKEncodedOrigin.BottomLeft => (width * (height - 1), 1, -width),
            SKEncodedOrigin.LeftTop => (0, width, 1),
            SKEncodedOrigin.RightTop => (width * (height - 1), -width, 1),
            SKEncodedOrigin.RightBottom => ((width * height) - 1, -width, -1),
            SKEncodedOrigin.LeftBottom => (width - 1, width, -1),
            _ => (0, 1, width),
        };
        var (upHeight, upWidth) = origin >= SKEncodedOrigin.LeftTop ? (width, height) : (height, width);
        var area = upHeight * upWidth;
        var pixels = new byte[options.Channels * area];
        var background = options.Background == "white" ? 255 : 0;
        for (var y = 0; y < upHeight; y++)
        {
            for (var x = 0; x < upWidth; x++)
            {
                var source = colours.AsSpan((start + (y * row) + (x * column)) * 4, 4);
                var (red, green, blue) = (Over(source[0], source[3], background), Over(source[1], source[3], background), Over(source[2], source[3], background));
                var place = (y * upWidth) + x;
                if (options.Channels == 1)
                {
                    // Rec. 601 in 16 fraction bits, as Pillow rounds it; equal channels stay what they are.
                    pixels[place] = (byte)(((red * 19595) + (green * 38470) + (blue * 7471) + 32768) >> 16);
                    continue;
                }
                pixels[place] = (byte)red;
                pixels[area + place] = (byte)green;
                pixels[(2 * area) + place] = (byte)blue;
            }
        }
        return new(pixels, options.Channels, upHeight, upWidth, frames);
    }

    /// <summary>A colour laid over the background, rounded as Pillow's alpha_composite rounds.</summary>
    private static int Over(int colour, int alpha, int background)
    {
        var sum = ((colour * alpha) + (background * (255 - alpha)) + 128) << 7;
        return (((sum >> 8) + sum) >> 8) >> 7;
    }
}

using System.Buffers.Binary;

namespace Nabla;

/// <summary>Size of a PNG picture, read from its header.</summary>
internal readonly record struct PictureSize(int Width, int Height)
{
    /// <summary>The size, or null when the bytes are not a PNG of 1 to 16,384 pixels a side.</summary>
    public static PictureSize? Read(ReadOnlySpan<byte> png)
    {
        // Signature, chunk length, IHDR, width, height: PNG specification, sections 5.2 and 11.2.2.
        ReadOnlySpan<byte> signature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];
        if (png.Length < 33 || !png.StartsWith(signature) || !png[12..16].SequenceEqual("IHDR"u8))
        {
            return null;
        }
        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(png[16..]), BinaryPrimitives.ReadInt32BigEndian(png[20..]));
        return width is >= 1 and <= 16384 && height is >= 1 and <= 16384 ? new(width, height) : null;
    }
}

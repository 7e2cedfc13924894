namespace Nabla.Data;

/// <summary>
/// Scales pictures bilinearly with antialiasing: the kernel widens when a picture shrinks. Same bits as Pillow 13's
/// <c>Image.resize(size, BILINEAR)</c>: coefficients of 22 fraction bits, two passes with 8 bits between them. Thread-safe.
/// </summary>
public static class ImageResize
{
    private const int Bits = 22;

    private readonly record struct Kernel(int First, int[] Weights);

    /// <summary>Scales a picture to a size, whatever its proportions.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="height">New height in pixels, at least 1.</param>
    /// <param name="width">New width in pixels, at least 1.</param>
    public static DecodedImage Bilinear(DecodedImage image, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        // Rows first when the height shrinks by more than twice as many pixels as the width, as Pillow 13 does.
        return height < image.Height && image.Height - (long)height > 2 * ((long)image.Width - width)
            ? Columns(Rows(image, height), width)
            : Rows(Columns(image, width), height);
    }

    /// <summary>Scales a picture so that it covers a size and cuts off, evenly on both sides, what stands over.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="height">New height in pixels, at least 1.</param>
    /// <param name="width">New width in pixels, at least 1.</param>
    public static DecodedImage BilinearCropped(DecodedImage image, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        var tooWide = (long)image.Width * height > (long)image.Height * width;
        var (partHeight, partWidth) = tooWide
            ? (image.Height, Math.Max(1, (int)((long)image.Height * width / height)))
            : (Math.Max(1, (int)((long)image.Width * height / width)), image.Width);
        return Bilinear(image.Crop((image.Height - partHeight) / 2, (image.Width - partWidth) / 2, partHeight, partWidth), height, width);
    }

    private static DecodedImage Columns(DecodedImage image, int width)
    {
        if (width == image.Width)
        {
            return image;
        }
        var kernels = Kernels(image.Width, width);
        var rows = image.Channels * image.Height;
        var result = new byte[rows * width];
        for (var row = 0; row < rows; row++)
        {
            var source = image.Pixels.AsSpan(row * image.Width, image.Width);
            for (var x = 0; x < width; x++)
            {
                var (sum, (first, weights)) = (1 << (Bits - 1), kernels[x]);
                for (var k = 0; k < weights.Length; k++)
                {
                    sum += source[first + k] * weights[k];
                }
                result[(row * width) + x] = (byte)Math.Clamp(sum >> Bits, 0, 255);
            }
        }
        return image with { Pixels = result, Width = width };
    }

    private static DecodedImage Rows(DecodedImage image, int height)
    {
        if (height == image.Height)
        {
            return image;
        }
        var kernels = Kernels(image.Height, height);
        var result = new byte[image.Channels * height * image.Width];
        var sums = new int[image.Width];
        for (var row = 0; row < image.Channels * height; row++)
        {
            var (first, weights) = kernels[row % height];
            Array.Fill(sums, 1 << (Bits - 1));
            for (var k = 0; k < weights.Length; k++)
            {
                var source = image.Pixels.AsSpan((((row / height) * image.Height) + first + k) * image.Width, image.Width);
                for (var x = 0; x < sums.Length; x++)
                {
                    sums[x] += source[x] * weights[k];
                }
            }
            for (var x = 0; x < sums.Length; x++)
            {
                result[(row * image.Width) + x] = (byte)Math.Clamp(sums[x] >> Bits, 0, 255);
            }
        }
        return image with { Pixels = result, Height = height };
    }

    /// <summary>For each output place, the input places under the triangle and their weights, which sum to 1.</summary>
    private static Kernel[] Kernels(int from, int to)
    {
        var scale = (double)from / to;
        var support = Math.Max(scale, 1.0);
        var kernels = new Kernel[to];
        for (var i = 0; i < to; i++)
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max(0, (int)(center - support + 0.5));
            var weights = new double[Math.Min(from, (int)(center + support + 0.5)) - first];
            for (var k = 0; k < weights.Length; k++)
            {
                weights[k] = Math.Max(0, 1 - Math.Abs((k + first - center + 0.5) * (1 / support)));
            }
            var total = weights.Sum();
            kernels[i] = new(first, Array.ConvertAll(weights, weight => (int)(0.5 + (weight / total * (1 << Bits)))));
        }
        return kernels;
    }
}

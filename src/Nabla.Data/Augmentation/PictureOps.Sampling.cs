using Nabla.Core;

namespace Nabla.Data;

internal static partial class PictureOps
{
    /// <summary>Turns each picture around its centre, counter-clockwise for angles above 0, bilinear; what comes from outside has the colour <paramref name="fill"/>.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="degrees">One angle for each picture.</param>
    /// <param name="fill">Colour outside, by channel.</param>
    public static Tensor Rotate(Tensor pictures, double[] degrees, float[] fill)
    {
        var (height, width) = ((double)pictures.Sizes()[2], (double)pictures.Sizes()[3]);
        var maps = new float[degrees.Length * 6];
        for (var i = 0; i < degrees.Length; i++)
        {
            var (sin, cos) = Math.SinCos(degrees[i] * Math.PI / 180);
            // From output to input, in coordinates where each axis runs from -1 to 1.
            ReadOnlySpan<float> map = [(float)cos, (float)(-sin * height / width), 0, (float)(sin * width / height), (float)cos, 0];
            map.CopyTo(maps.AsSpan(i * 6));
        }
        using var colour = torch.tensor(fill, [1, fill.Length, 1, 1], float32);
        // The sampler knows zero as the only colour outside.
        return Sample(pictures - colour, maps, GridSamplePaddingMode.Zeros).add_(colour);
    }

    /// <summary>Scales a rectangle of each picture to the whole size, bilinear.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="boxes">One box for each picture, inside of it.</param>
    public static Tensor ResizedCrop(Tensor pictures, PixelBox[] boxes)
    {
        var (height, width) = ((float)pictures.Sizes()[2], (float)pictures.Sizes()[3]);
        var maps = new float[boxes.Length * 6];
        for (var i = 0; i < boxes.Length; i++)
        {
            var box = boxes[i];
            ReadOnlySpan<float> map = [box.Width / width, 0, (((2 * box.Left) + box.Width) / width) - 1, 0, box.Height / height, (((2 * box.Top) + box.Height) / height) - 1];
            map.CopyTo(maps.AsSpan(i * 6));
        }
        return Sample(pictures, maps, GridSamplePaddingMode.Border);
    }

    private static Tensor Sample(Tensor pictures, float[] maps, GridSamplePaddingMode outside)
    {
        var theta = torch.tensor(maps, [pictures.Sizes()[0], 2, 3], float32);
        var grid = nn.functional.affine_grid(theta, pictures.Sizes(), align_corners: false); // [batch, height, width, 2]
        return nn.functional.grid_sample(pictures, grid, GridSampleMode.Bilinear, outside, align_corners: false);
    }
}

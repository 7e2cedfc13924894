using Nabla.Core;

namespace Nabla.Data;

/// <summary>Random rectangles inside a picture.</summary>
internal static class BoxSampling
{
    /// <summary>
    /// A box of random area (a share of the picture's) and aspect (width / height, uniform in its logarithm) at a random place; after
    /// ten draws that do not fit, <paramref name="otherwise"/>.
    /// </summary>
    public static PixelBox Draw(AugmentationContext context, double minArea, double maxArea, double minAspect, double maxAspect, PixelBox otherwise, RandomStream random)
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var area = random.NextDouble(minArea, maxArea) * context.Height * context.Width;
            var aspect = Math.Exp(random.NextDouble(Math.Log(minAspect), Math.Log(maxAspect)));
            var (height, width) = ((int)Math.Round(Math.Sqrt(area / aspect)), (int)Math.Round(Math.Sqrt(area * aspect)));
            if (height >= 1 && height <= context.Height && width >= 1 && width <= context.Width)
            {
                return new(random.NextInt(0, context.Height - height + 1), random.NextInt(0, context.Width - width + 1), height, width);
            }
        }
        return otherwise;
    }
}

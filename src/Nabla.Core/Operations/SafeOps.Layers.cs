namespace Nabla.Core;

public static partial class SafeOps
{
    /// <summary>Cuts to bounds (TorchSharp 0.107 ignores them); unlike clamp, no gradient passes on the bounds themselves.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="low">Lower bound.</param>
    /// <param name="high">Upper bound, at least <paramref name="low"/>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException">The bounds are the wrong way round.</exception>
    public static Tensor HardTanh(Tensor x, double low = -1, double high = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        return low <= high
            ? AtenLayerScript.Call<Tensor>("hardtanh", x, low, high)
            : throw new ArgumentException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"HardTanh: low ({low}) must be at most high ({high})."), nameof(low));
    }

    /// <summary>The largest entry of each part of a volume (TorchSharp 0.107 calls the pool of one axis instead).</summary>
    /// <param name="x"><c>[batch, channels, depth, height, width]</c>.</param>
    /// <param name="size">New depth, height and width, each at least 1.</param>
    /// <returns><c>[batch, channels, newDepth, newHeight, newWidth]</c>.</returns>
    /// <exception cref="ShapeException">The layout differs, or there are not three sizes.</exception>
    public static Tensor AdaptiveMaxPool3d(Tensor x, IReadOnlyList<long> size)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(size);
        if (x.Dimensions != 5 || size.Count != 3 || size.Any(wanted => wanted < 1))
        {
            throw new ShapeException("SafeOps.AdaptiveMaxPool3d", nameof(x), $"[batch, channels, depth, height, width] and three sizes of at least 1 (they are [{string.Join(", ", size)}])", x.Sizes());
        }
        var (largest, places) = AtenLayerScript.Call<(Tensor, Tensor)>("adaptive_max_pool3d", x, size[0], size[1], size[2]);
        places.Dispose();
        return largest;
    }
}

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
}

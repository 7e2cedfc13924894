namespace Nabla.Nn;

/// <summary>
/// Root mean square normalisation of the last axis, <c>x / sqrt(mean(x^2) + epsilon) * weight</c>.
/// Source: Zhang and Sennrich (2019), arXiv:1910.07467.
/// </summary>
public sealed class RmsNorm : Module<Tensor, Tensor>
{
    private readonly Parameter weight;
    private readonly double _epsilon;

    /// <summary>Creates the layer with weights 1.</summary>
    /// <param name="features">Size of the last axis.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    public RmsNorm(long features, double epsilon = 1e-6)
        : base(nameof(RmsNorm))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        _epsilon = epsilon;
        weight = torch.ones(features).AsOwnedParameter();
        RegisterComponents();
    }

    /// <summary>Normalises the last axis.</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <returns><c>[..., features]</c>.</returns>
    /// <exception cref="ShapeException">The last axis has another size.</exception>
    public override Tensor forward(Tensor x) => SafeOps.RmsNorm(x, weight, _epsilon);
}

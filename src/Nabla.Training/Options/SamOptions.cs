using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Sharpness-aware minimisation: the gradient is taken where the loss is worst nearby, which finds flatter minima at twice the cost of a step
/// (Foret et al., 2021, arXiv:2010.01412; adaptive: Kwon et al., 2021, arXiv:2102.11600).
/// </summary>
public sealed record SamOptions
{
    /// <summary>How far away, above 0. Usual: 0.05, adaptive 0.5 to 2. Default: 0.05.</summary>
    public double Rho { get; init; } = 0.05;

    /// <summary>Measure distance relative to the size of each weight. Default: false.</summary>
    public bool Adaptive { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Rho > 0 && double.IsFinite(Rho), $"rho must be above 0; it is {Rho}.")
        .ThrowIfAny();
}

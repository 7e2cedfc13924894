namespace Nabla.Nn;

/// <summary>
/// Dropout for SELU networks: dropped entries get SELU's lowest value, and the whole is scaled and shifted so that standard normal
/// inputs keep mean 0 and variance 1. Source: Klambauer et al. (2017), arXiv:1706.02515, section 3.
/// </summary>
public sealed class AlphaDropoutLayer : Module<Tensor, Tensor>
{
    private const double Lowest = -1.7580993408473766; // -lambda alpha of SELU

    /// <summary>Creates the layer.</summary>
    /// <param name="probability">Chance of dropping an entry, in [0, 1).</param>
    public AlphaDropoutLayer(double probability)
        : base(nameof(AlphaDropoutLayer))
    {
        Probability = DropoutLayer.CheckProbability(probability);
        Scale = 1 / Math.Sqrt((Lowest * Lowest * probability * (1 - probability)) + (1 - probability));
        Shift = -Scale * probability * Lowest;
        RegisterComponents();
    }

    /// <summary>Chance of dropping an entry, in [0, 1).</summary>
    public double Probability { get; }

    /// <summary>Factor of every entry, dropped or kept.</summary>
    public double Scale { get; }

    /// <summary>What is added to every entry.</summary>
    public double Shift { get; }

    /// <summary>Applies the layer.</summary>
    /// <param name="x">Any shape.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    public override Tensor forward(Tensor x)
    {
        if (!training || Probability == 0)
        {
            return x.alias();
        }
        using var scope = NewDisposeScope();
        var dropped = FastDropout.Apply(torch.ones_like(x), Probability).eq(Number.Of(0));
        return (x.masked_fill(dropped, Number.Of(Lowest)) * Number.Of(Scale)).add(Number.Of(Shift)).MoveToOuterDisposeScope();
    }
}

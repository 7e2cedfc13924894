namespace Nabla.Nn;

/// <summary>
/// Drops whole examples of a residual branch with chance p while training and scales the others by <c>1 / (1 - p)</c>,
/// so that a deep network trains as an ensemble of shallower ones (drop path). Source: Huang et al. (2016), arXiv:1603.09382.
/// </summary>
public sealed class StochasticDepth : Module<Tensor, Tensor>
{
    /// <summary>Creates the layer.</summary>
    /// <param name="probability">Chance of dropping an example's branch, in [0, 1]; 1 leaves the branch out of training.</param>
    public StochasticDepth(double probability)
        : base(nameof(StochasticDepth))
    {
        Probability = probability is >= 0 and <= 1
            ? probability
            : throw new ArgumentOutOfRangeException(nameof(probability), probability, "The chance of dropping a branch must be in [0, 1].");
        RegisterComponents();
    }

    /// <summary>Chance of dropping an example's branch, in [0, 1].</summary>
    public double Probability { get; }

    /// <summary>The chance of block <paramref name="block"/> of <paramref name="blocks"/>, growing linearly from 0 to <paramref name="last"/>.</summary>
    /// <param name="last">Chance of the last block, in [0, 1].</param>
    /// <param name="block">The block, from 0.</param>
    /// <param name="blocks">How many there are.</param>
    public static double ProbabilityOf(double last, int block, int blocks) => blocks <= 1 ? last * block : last * block / (blocks - 1);

    /// <summary>Applies the layer to a branch, before it is added.</summary>
    /// <param name="x"><c>[batch, ...]</c>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    public override Tensor forward(Tensor x)
    {
        if (!training || Probability == 0 || x.Dimensions == 0)
        {
            return x.alias();
        }
        if (Probability == 1)
        {
            return x.mul(Number.Of(0));
        }
        var shape = new long[x.Dimensions];
        Array.Fill(shape, 1);
        shape[0] = x.Sizes()[0];
        using var kept = torch.rand(shape, device: x.device).ge_(Number.Of(Probability)); // [batch, 1, ...]
        using var mask = kept.to(x.dtype).div_(Number.Of(1 - Probability));
        return x.mul(mask);
    }
}

namespace Nabla.Nn;

/// <summary>
/// Sets whole channels of an example to 0 with chance p while training and scales the others by <c>1 / (1 - p)</c>: neighbouring
/// entries of a feature map are alike, so dropping single ones hides little. Source: Tompson et al. (2015), arXiv:1411.4280. As
/// PyTorch's Dropout1d, 2d and 3d in one.
/// </summary>
public sealed class ChannelDropoutLayer : Module<Tensor, Tensor>
{
    /// <summary>Creates the layer.</summary>
    /// <param name="probability">Chance of dropping a channel, in [0, 1).</param>
    public ChannelDropoutLayer(double probability)
        : base(nameof(ChannelDropoutLayer))
    {
        Probability = DropoutLayer.CheckProbability(probability);
        RegisterComponents();
    }

    /// <summary>Chance of dropping a channel, in [0, 1).</summary>
    public double Probability { get; }

    /// <summary>Applies the layer.</summary>
    /// <param name="x"><c>[batch, channels, ...]</c>.</param>
    /// <returns>The shape of <paramref name="x"/>.</returns>
    /// <exception cref="ShapeException">There is no channel axis.</exception>
    public override Tensor forward(Tensor x)
    {
        if (x.Dimensions < 2)
        {
            throw new ShapeException("ChannelDropoutLayer.forward", nameof(x), "[batch, channels, ...]", x.Sizes());
        }
        if (!training || Probability == 0)
        {
            return x.alias();
        }
        using var ones = torch.ones([.. x.Sizes().Select((size, axis) => axis < 2 ? size : 1)], x.dtype, x.device);
        using var mask = FastDropout.Apply(ones, Probability); // [batch, channels, 1 ...]
        return x.mul(mask);
    }
}

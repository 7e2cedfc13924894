using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>horizontal-flip</c>: mirrors a picture left to right.</summary>
public sealed record HorizontalFlipOptions
{
    /// <summary>Chance of mirroring a picture, in [0, 1]. Default: 0.5.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Probability is >= 0 and <= 1, $"Probability must be in [0, 1]; it is {Probability}.")
        .ThrowIfAny();
}

/// <summary>Options of <c>vertical-flip</c>: mirrors a picture top to bottom.</summary>
public sealed record VerticalFlipOptions
{
    /// <summary>Chance of mirroring a picture, in [0, 1]. Default: 0.5.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Probability is >= 0 and <= 1, $"Probability must be in [0, 1]; it is {Probability}.")
        .ThrowIfAny();
}

/// <summary>Mirrors some pictures of a batch.</summary>
internal sealed class Flip : PictureTransform
{
    private readonly double _probability;
    private readonly Func<Tensor, bool[], Tensor> _flip;

    public Flip(HorizontalFlipOptions options, AugmentationContext context) : base("horizontal-flip", context)
    {
        options.Validate();
        (_probability, _flip) = (options.Probability, PictureOps.FlipColumns);
    }

    public Flip(VerticalFlipOptions options, AugmentationContext context) : base("vertical-flip", context)
    {
        options.Validate();
        (_probability, _flip) = (options.Probability, PictureOps.FlipRows);
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var chosen = new bool[batch.Count];
        for (var i = 0; i < chosen.Length; i++)
        {
            chosen[i] = random.NextBool(_probability);
        }
        batch.Replace(Batch.Inputs, _flip(pictures, chosen));
    }
}

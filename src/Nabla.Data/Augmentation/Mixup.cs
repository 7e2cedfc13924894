using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Options of <c>mixup</c>: blends each picture and its target with those of another of the batch, by a share drawn from
/// Beta(alpha, alpha). Class ids become class probabilities. Source: Zhang et al. (2017), arXiv:1710.09412; the share is drawn for each
/// picture instead of once a batch.
/// </summary>
public sealed record MixupOptions
{
    /// <summary>Both parameters of the Beta distribution, above 0; larger blends more evenly. Default: 0.2.</summary>
    public double Alpha { get; init; } = 0.2;

    /// <summary>Chance of blending a picture, in [0, 1]. Default: 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Alpha > 0 && double.IsFinite(Alpha), $"Alpha must be above 0; it is {Alpha}.")
        .Require(Probability is >= 0 and <= 1, $"Probability must be in [0, 1]; it is {Probability}.")
        .ThrowIfAny();
}

/// <summary>Blends pictures and targets.</summary>
internal sealed class Mixup : PictureTransform
{
    private readonly MixupOptions _options;

    public Mixup(MixupOptions options, AugmentationContext context) : base("mixup", context)
    {
        options.Validate();
        _options = options;
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var partners = random.Permutation(batch.Count);
        var shares = new float[batch.Count];
        for (var i = 0; i < shares.Length; i++)
        {
            shares[i] = random.NextBool(_options.Probability) ? (float)BetaDistribution.Draw(_options.Alpha, random) : 1;
        }
        var targets = PictureOps.MixableTargets(Name, batch[Batch.Targets], Context.Classes);
        batch.Replace(Batch.Targets, PictureOps.Mix(targets, partners, shares));
        batch.Replace(Batch.Inputs, PictureOps.Mix(pictures, partners, shares));
    }
}

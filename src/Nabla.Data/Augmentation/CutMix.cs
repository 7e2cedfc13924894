using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Options of <c>cutmix</c>: pastes a rectangle of another picture of the batch into each picture; targets are blended by area. Class
/// ids become class probabilities. Source: Yun et al. (2019), arXiv:1905.04899; the rectangle is drawn for each picture instead of once a batch.
/// </summary>
public sealed record CutMixOptions
{
    /// <summary>Both parameters of the Beta distribution of the picture's own share, above 0. Default: 1.</summary>
    public double Alpha { get; init; } = 1;

    /// <summary>Chance of pasting into a picture, in [0, 1]. Default: 1.</summary>
    public double Probability { get; init; } = 1;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Alpha > 0 && double.IsFinite(Alpha), $"Alpha must be above 0; it is {Alpha}.")
        .Require(Probability is >= 0 and <= 1, $"Probability must be in [0, 1]; it is {Probability}.")
        .ThrowIfAny();
}

/// <summary>Pastes rectangles and blends targets.</summary>
internal sealed class CutMix : PictureTransform
{
    private readonly CutMixOptions _options;

    public CutMix(CutMixOptions options, AugmentationContext context) : base("cutmix", context)
    {
        options.Validate();
        _options = options;
    }

    /// <summary>The box around a centre whose area is 1 - <paramref name="share"/> of the picture, cut at the border.</summary>
    internal static PixelBox Box(int height, int width, double share, int centreY, int centreX)
    {
        var edge = Math.Sqrt(1 - share);
        var (h, w) = ((int)(height * edge), (int)(width * edge));
        var (top, bottom) = (Math.Clamp(centreY - (h / 2), 0, height), Math.Clamp(centreY + (h / 2), 0, height));
        var (left, right) = (Math.Clamp(centreX - (w / 2), 0, width), Math.Clamp(centreX + (w / 2), 0, width));
        return new(top, left, bottom - top, right - left);
    }

    /// <summary>The share of the picture that a box leaves.</summary>
    internal static float Share(int height, int width, PixelBox box) => (float)(1 - ((double)box.Height * box.Width / ((double)height * width)));

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var partners = random.Permutation(batch.Count);
        var (boxes, shares) = (new PixelBox[batch.Count], new float[batch.Count]);
        for (var i = 0; i < boxes.Length; i++)
        {
            if (random.NextBool(_options.Probability))
            {
                boxes[i] = Box(Context.Height, Context.Width, BetaDistribution.Draw(_options.Alpha, random), random.NextInt(0, Context.Height), random.NextInt(0, Context.Width));
            }
            shares[i] = Share(Context.Height, Context.Width, boxes[i]);
        }
        var targets = PictureOps.MixableTargets(Name, batch[Batch.Targets], Context.Classes);
        batch.Replace(Batch.Targets, PictureOps.Mix(targets, partners, shares));
        batch.Replace(Batch.Inputs, PictureOps.Paste(pictures, partners, boxes));
    }
}

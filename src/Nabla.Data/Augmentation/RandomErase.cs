using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>random-erase</c>: covers a random rectangle of a picture. Source: Zhong et al. (2017), arXiv:1708.04896.</summary>
public sealed record RandomEraseOptions
{
    /// <summary>Chance of covering a part of a picture, in [0, 1]. Default: 0.5.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Smallest share of the area that is covered, in (0, 1]. Default: 0.02.</summary>
    public double MinArea { get; init; } = 0.02;

    /// <summary>Largest share of the area that is covered, in (0, 1], at least <see cref="MinArea"/>. Default: 0.33.</summary>
    public double MaxArea { get; init; } = 0.33;

    /// <summary>Smallest width / height of the rectangle, above 0. Default: 0.3.</summary>
    public double MinAspect { get; init; } = 0.3;

    /// <summary>Largest width / height of the rectangle, at least <see cref="MinAspect"/>. Default: 3.3.</summary>
    public double MaxAspect { get; init; } = 3.3;

    /// <summary>Colour of the rectangle: <c>mean</c> (of the normalisation, else grey), <c>black</c> or <c>random</c>. Default: mean.</summary>
    public string Colour { get; init; } = "mean";

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Probability is >= 0 and <= 1, $"Probability must be in [0, 1]; it is {Probability}.")
        .Require(MinArea > 0 && MinArea <= MaxArea && MaxArea <= 1, $"MinArea ({MinArea}) and MaxArea ({MaxArea}) must be in (0, 1], in this order.")
        .Require(MinAspect > 0 && MinAspect <= MaxAspect && double.IsFinite(MaxAspect), $"MinAspect ({MinAspect}) and MaxAspect ({MaxAspect}) must be above 0, in this order.")
        .OneOf(nameof(Colour), Colour, ["mean", "black", "random"])
        .ThrowIfAny();
}

/// <summary>Covers a part of some pictures.</summary>
internal sealed class RandomErase : PictureTransform
{
    private readonly RandomEraseOptions _options;
    private readonly float[] _black, _white, _mean;

    public RandomErase(RandomEraseOptions options, AugmentationContext context) : base("random-erase", context)
    {
        options.Validate();
        (_options, _black, _white, _mean) = (options, context.Fill(0), context.Fill(1), context.Fill(null));
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var (boxes, colours) = (new PixelBox[batch.Count], new float[batch.Count][]);
        for (var i = 0; i < boxes.Length; i++)
        {
            colours[i] = _options.Colour switch
            {
                "mean" => _mean,
                "black" => _black,
                _ => [.. _black.Zip(_white, (black, white) => (float)random.NextDouble(black, white))],
            };
            boxes[i] = random.NextBool(_options.Probability)
                ? BoxSampling.Draw(Context, _options.MinArea, _options.MaxArea, _options.MinAspect, _options.MaxAspect, default, random)
                : default;
        }
        batch.Replace(Batch.Inputs, PictureOps.Erase(pictures, boxes, colours));
    }
}

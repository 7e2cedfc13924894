using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>random-resized-crop</c>: takes a random part of a picture and scales it to the whole size, bilinear.</summary>
public sealed record RandomResizedCropOptions
{
    /// <summary>Smallest share of the area that is kept, in (0, 1]. Default: 0.5.</summary>
    public double MinArea { get; init; } = 0.5;

    /// <summary>Largest share of the area that is kept, in (0, 1], at least <see cref="MinArea"/>. Default: 1.</summary>
    public double MaxArea { get; init; } = 1;

    /// <summary>Smallest width / height of the part, above 0. Default: 0.75.</summary>
    public double MinAspect { get; init; } = 3.0 / 4;

    /// <summary>Largest width / height of the part, at least <see cref="MinAspect"/>. Default: 1.333.</summary>
    public double MaxAspect { get; init; } = 4.0 / 3;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MinArea > 0 && MinArea <= MaxArea && MaxArea <= 1, $"MinArea ({MinArea}) and MaxArea ({MaxArea}) must be in (0, 1], in this order.")
        .Require(MinAspect > 0 && MinAspect <= MaxAspect && double.IsFinite(MaxAspect), $"MinAspect ({MinAspect}) and MaxAspect ({MaxAspect}) must be above 0, in this order.")
        .ThrowIfAny();
}

/// <summary>Gives each picture a part of its own.</summary>
internal sealed class RandomResizedCrop : PictureTransform
{
    private readonly RandomResizedCropOptions _options;

    public RandomResizedCrop(RandomResizedCropOptions options, AugmentationContext context) : base("random-resized-crop", context)
    {
        options.Validate();
        _options = options;
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var boxes = new PixelBox[batch.Count];
        for (var i = 0; i < boxes.Length; i++)
        {
            boxes[i] = BoxSampling.Draw(Context, _options.MinArea, _options.MaxArea, _options.MinAspect, _options.MaxAspect, new(0, 0, Context.Height, Context.Width), random);
        }
        batch.Replace(Batch.Inputs, PictureOps.ResizedCrop(pictures, boxes));
    }
}

using Nabla.Core;

namespace Nabla.Data;

/// <summary>Options of <c>random-crop</c>: pads a picture on all sides and takes a window of the old size at a random place.</summary>
public sealed record RandomCropOptions
{
    /// <summary>Width of the border in pixels, at least 0. Default: 4.</summary>
    public int Padding { get; init; } = 4;

    /// <summary>What the border shows: <c>zero</c> (black) or <c>reflect</c> (the picture mirrored). Default: zero.</summary>
    public string Mode { get; init; } = "zero";

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Padding >= 0, $"Padding must be at least 0; it is {Padding}.")
        .OneOf(nameof(Mode), Mode, ["zero", "reflect"])
        .ThrowIfAny();
}

/// <summary>Shifts each picture by up to the padding in each direction.</summary>
internal sealed class RandomCrop : PictureTransform
{
    private readonly int _padding;
    private readonly float[]? _fill;

    public RandomCrop(RandomCropOptions options, AugmentationContext context) : base("random-crop", context)
    {
        options.Validate();
        (_padding, _fill) = (options.Padding, options.Mode == "zero" ? context.Fill(0) : null);
        if (_fill is null && _padding >= Math.Min(context.Height, context.Width))
        {
            throw new OptionsException(nameof(RandomCropOptions), [$"Padding ({_padding}) must be below the height ({context.Height}) and width ({context.Width}) to mirror the picture."]);
        }
    }

    protected override void Change(Batch batch, Tensor pictures, RandomStream random)
    {
        var (tops, lefts) = (new int[batch.Count], new int[batch.Count]);
        for (var i = 0; i < tops.Length; i++)
        {
            (tops[i], lefts[i]) = (random.NextInt(0, (2 * _padding) + 1), random.NextInt(0, (2 * _padding) + 1));
        }
        batch.Replace(Batch.Inputs, PictureOps.PaddedCrop(pictures, tops, lefts, _padding, _fill));
    }
}

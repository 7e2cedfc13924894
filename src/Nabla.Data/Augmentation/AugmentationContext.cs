using Nabla.Core;

namespace Nabla.Data;

/// <summary>What an augmentation must know about the pictures it will see.</summary>
public sealed record AugmentationContext
{
    /// <summary>Number of classes; 0 when targets are numbers. Needed by mixup and cutmix.</summary>
    public required int Classes { get; init; }

    /// <summary>Colour channels of a picture, at least 1.</summary>
    public required int Channels { get; init; }

    /// <summary>Height of a picture in pixels, at least 1.</summary>
    public required int Height { get; init; }

    /// <summary>Width of a picture in pixels, at least 1.</summary>
    public required int Width { get; init; }

    /// <summary>
    /// How the source has normalised the pictures (<see cref="TensorSource.Pixels"/>), so that black is black and colours change
    /// in [0, 1] whatever the normalisation. Default: none, pixels are in [0, 1].
    /// </summary>
    public PixelNormalization? Pixels { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Classes >= 0, $"Classes must be at least 0; it is {Classes}.")
        .Require(Channels >= 1, $"Channels must be at least 1; it is {Channels}.")
        .Require(Height >= 1 && Width >= 1, $"Height ({Height}) and Width ({Width}) must be at least 1.")
        .Require((Pixels?.Mean?.Count ?? Channels) == Channels, $"Pixels.Mean has {Pixels?.Mean?.Count} values for {Channels} Channels; give one for each.")
        .ThrowIfAny();

    /// <summary>The number that stands for a pixel of the given brightness in [0, 1], by channel; null for the mean colour.</summary>
    internal float[] Fill(double? brightness)
    {
        var fill = new float[Channels];
        for (var c = 0; c < Channels; c++)
        {
            var mean = Pixels?.Mean is { Count: > 0 } means ? means[c] : (double?)null;
            fill[c] = (float)(((brightness ?? mean ?? 0.5) - (mean ?? 0)) / DeviationOf(c));
        }
        return fill;
    }

    /// <summary>Standard deviation of a channel's normalisation, 1 when there is none.</summary>
    internal double DeviationOf(int channel) => Pixels?.StandardDeviation is { Count: > 0 } deviations ? deviations[channel] : 1;
}

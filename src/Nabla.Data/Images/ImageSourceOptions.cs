using Nabla.Core;

namespace Nabla.Data;

/// <summary>How pictures of different sizes get one size.</summary>
public enum ImageFit
{
    /// <summary>Scaled in each direction by its own factor: nothing is lost, proportions change.</summary>
    Stretch = 0,

    /// <summary>Scaled to cover the size; what stands over is cut off evenly on both sides.</summary>
    Crop = 1,
}

/// <summary>How an <see cref="ImageFolderSource"/> reads pictures.</summary>
public sealed record ImageSourceOptions
{
    /// <summary>Height of every picture in pixels, at least 1.</summary>
    public required int Height { get; init; }

    /// <summary>Width of every picture in pixels, at least 1.</summary>
    public required int Width { get; init; }

    /// <summary>How pictures of other sizes get this size. Default: <see cref="ImageFit.Stretch"/>.</summary>
    public ImageFit Fit { get; init; }

    /// <summary>How files become pixels.</summary>
    public ImageOptions Decoding { get; init; } = new();

    /// <summary>How pixels become numbers; the number of channels is that of <see cref="Decoding"/>. Default: divided by 255.</summary>
    public PixelNormalization Pixels { get; init; } = new();

    /// <summary>
    /// Whether pictures that cannot be read are left out with a warning. All pictures are then decoded once at the start, to know which.
    /// Default: false, such a picture is an error that names it.
    /// </summary>
    public bool SkipUnreadable { get; init; }

    /// <summary>Decoded pictures are kept when all of them together need at most so many bytes. Default: 512 MiB.</summary>
    public long CacheBytes { get; init; } = 512L << 20;

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate()
    {
        Decoding.Validate();
        Pixels.Validate();
        OptionsCheck.For(this)
            .Require(Height is >= 1 and <= 16384, $"Height must be from 1 to 16384; it is {Height}.")
            .Require(Width is >= 1 and <= 16384, $"Width must be from 1 to 16384; it is {Width}.")
            .Require(Enum.IsDefined(Fit), $"Fit must be Stretch or Crop; it is {Fit}.")
            .Require((Pixels.Mean?.Count ?? Decoding.Channels) == Decoding.Channels, $"Pixels.Mean has {Pixels.Mean?.Count} values for {Decoding.Channels} channels; give one for each.")
            .Require(CacheBytes >= 0, $"CacheBytes must be at least 0; it is {CacheBytes}.")
            .ThrowIfAny();
    }
}

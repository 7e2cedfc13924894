using Nabla.Core;

namespace Nabla.Data;

/// <summary>Size and seed of the generated data set <c>shapes</c>.</summary>
public sealed record ShapesOptions
{
    /// <summary>Training pictures, at least 1. Default: 6000.</summary>
    public int Train { get; init; } = 6000;

    /// <summary>Test pictures, at least 1. Default: 1000.</summary>
    public int Test { get; init; } = 1000;

    /// <summary>Height and width of a picture in pixels, from 16 to 512. Default: 32.</summary>
    public int Size { get; init; } = 32;

    /// <summary>Fixes every picture. Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Train >= 1, $"Train must be at least 1; it is {Train}.")
        .Require(Test >= 1, $"Test must be at least 1; it is {Test}.")
        .Require(Size is >= 16 and <= 512, $"Size must be from 16 to 512; it is {Size}.")
        // One array holds a split: it cannot have more bytes than an array may.
        .Require((long)Math.Max(Train, Test) * 3 * Size * Size <= Array.MaxLength, $"Train ({Train}) or Test ({Test}) pictures of Size {Size} do not fit into one array of {Array.MaxLength} bytes.")
        .ThrowIfAny();
}

using Nabla.Core;

namespace Nabla.Data;

/// <summary>How picture files become pixels.</summary>
public sealed record ImageOptions
{
    /// <summary>Colour channels: 3 (red, green, blue) or 1 (lightness by Rec. 601). Default: 3.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Most pixels (width x height) that a file may declare, checked before anything is decoded. Default: 120 million, above the largest phone cameras.</summary>
    public long MaxPixels { get; init; } = 120_000_000;

    /// <summary>What shows through transparent parts: <c>white</c> or <c>black</c>. Default: white.</summary>
    public string Background { get; init; } = "white";

    /// <summary>Throws when the values cannot work.</summary>
    /// <exception cref="OptionsException">At least one value is out of its range.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Channels is 1 or 3, $"Channels must be 1 or 3; it is {Channels}.")
        // 4 bytes a pixel must fit into one array.
        .Require(MaxPixels is >= 1 and <= 500_000_000, $"MaxPixels must be from 1 to 500000000; it is {MaxPixels}.")
        .OneOf(nameof(Background), Background, ["white", "black"])
        .ThrowIfAny();
}

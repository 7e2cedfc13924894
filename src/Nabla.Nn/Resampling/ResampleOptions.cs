namespace Nabla.Nn;

/// <summary>How a <see cref="ResampleLayer"/> changes sizes: give <see cref="Size"/> or <see cref="Factor"/>.</summary>
public sealed record ResampleOptions
{
    /// <summary>Axes that are resampled: 1 for sequences, 2 for pictures, 3 for volumes. Default: 2.</summary>
    public int Axes { get; init; } = 2;

    /// <summary>New size, one number for all axes or one for each, at least 1; null: by <see cref="Factor"/>. Default: null.</summary>
    public IReadOnlyList<int>? Size { get; init; }

    /// <summary>Factor of the size, one number for all axes or one for each, above 0; null: by <see cref="Size"/>. Default: null.</summary>
    public IReadOnlyList<double>? Factor { get; init; }

    /// <summary>nearest (rounds the scaled place down), nearest-exact (uses centres), linear (also over two or three axes) or cubic (two axes). Default: linear.</summary>
    public string Mode { get; init; } = "linear";

    /// <summary>Whether the centres of corner entries, rather than their outer edges, fall together (linear, cubic). Default: false.</summary>
    public bool AlignsCorners { get; init; }

    /// <summary>Whether a fractional factor is computed anew from the rounded size. Default: false.</summary>
    public bool RecomputesFactor { get; init; }

    /// <summary>Whether making a picture smaller averages over all that falls together (linear and cubic over two axes). Default: false.</summary>
    public bool UseAntialiasing { get; init; }

    /// <summary>Valid values of <see cref="Mode"/>.</summary>
    public static IReadOnlyCollection<string> ModeNames { get; } = ["nearest", "nearest-exact", "linear", "cubic"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Axes is >= 1 and <= 3, $"Axes must be 1, 2 or 3; it is {Axes}.")
        .RequireSizes(nameof(Size), Size, Axes, 1)
        .Require(Factor is null || ((Factor.Count == 1 || Factor.Count == Axes) && Factor.All(factor => factor > 0 && double.IsFinite(factor))),
            $"Factor must be one number for all axes, or one for each of {Axes}, each above 0; it is [{string.Join(", ", Factor ?? [])}].")
        .Require(Size is null != Factor is null, "Give Size or Factor, and only one of them.")
        .OneOf(nameof(Mode), Mode, ModeNames)
        .Require(Mode != "cubic" || Axes == 2, $"Mode cubic works over two axes; Axes is {Axes}.")
        .Require(!AlignsCorners || Mode is "linear" or "cubic", $"AlignsCorners works with linear and cubic only; Mode is {Mode}.")
        .Require(!UseAntialiasing || (Axes == 2 && Mode is "linear" or "cubic"), $"UseAntialiasing works with linear and cubic over two axes only; Mode is {Mode}, Axes {Axes}.")
        .ThrowIfAny();
}

namespace Nabla.Nn;

/// <summary>Kind and size of a <see cref="PoolLayer"/>. Lists hold one number for all axes, or one for each.</summary>
public sealed record PoolingOptions
{
    /// <summary>Axes that are pooled: 1 for sequences, 2 for pictures, 3 for volumes. Default: 2.</summary>
    public int Axes { get; init; } = 2;

    /// <summary>max, average, power (the root of a sum of powers; up to two axes), adaptive-max, adaptive-average, global-max or global-average. Default: max.</summary>
    public string Name { get; init; } = "max";

    /// <summary>Window size, at least 1 (max, average, power). Default: 2.</summary>
    public IReadOnlyList<int> KernelSize { get; init; } = [2];

    /// <summary>Step, at least 1; null: the window size (max, average, power). Default: null.</summary>
    public IReadOnlyList<int>? Stride { get; init; }

    /// <summary>Padding on each side, at most half the window (max, average). Default: 0.</summary>
    public IReadOnlyList<int> Padding { get; init; } = [0];

    /// <summary>Distance of window entries, at least 1 (max). Default: 1.</summary>
    public IReadOnlyList<int> Dilation { get; init; } = [1];

    /// <summary>Whether a window that hangs over the end counts too, unless it starts in the padding (max, average, power). Default: false.</summary>
    public bool UseCeiling { get; init; }

    /// <summary>Whether padding counts in an average. Default: true.</summary>
    public bool CountsPadding { get; init; } = true;

    /// <summary>What a window's sum is divided by instead of its entries (average over two or three axes); null: its entries. Default: null.</summary>
    public int? Divisor { get; init; }

    /// <summary>The power, above 0 (power). Default: 2.</summary>
    public double Power { get; init; } = 2;

    /// <summary>Output size, at least 1, or 0 to keep the input's (adaptive). Default: 1.</summary>
    public IReadOnlyList<int> OutputSize { get; init; } = [1];

    /// <summary>Valid values of <see cref="Name"/>.</summary>
    public static IReadOnlyCollection<string> Names { get; } = ["max", "average", "power", "adaptive-max", "adaptive-average", "global-max", "global-average"];

    internal bool HasWindow => Name is "max" or "average" or "power";

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate()
    {
        OptionsCheck.For(this)
            .Require(Axes is >= 1 and <= 3, $"Axes must be 1, 2 or 3; it is {Axes}.")
            .OneOf(nameof(Name), Name, Names)
            .RequireSizes(nameof(KernelSize), KernelSize, Axes, 1)
            .RequireSizes(nameof(Stride), Stride, Axes, 1)
            .RequireSizes(nameof(Padding), Padding, Axes, 0)
            .RequireSizes(nameof(Dilation), Dilation, Axes, 1)
            .RequireSizes(nameof(OutputSize), OutputSize, Axes, 0)
            .Require(Name != "power" || Axes <= 2, $"Name power works with one or two axes; Axes is {Axes}.")
            .Require(Name is "max" or "average" || Padding.All(size => size == 0), $"Padding works with max and average only; Name is {Name}.")
            .Require(Name == "max" || Dilation.All(size => size == 1), $"Dilation works with max only; Name is {Name}.")
            .Require(Divisor is null || (Name == "average" && Axes >= 2 && Divisor >= 1), $"Divisor must be at least 1 and works with average over two or three axes; it is {Divisor}, with {Name} over {Axes}.")
            .Require(Power > 0, $"Power must be above 0; it is {Power}.")
            .ThrowIfAny();
        var (kernel, padding) = (AxisSizes.Expand(KernelSize, Axes), AxisSizes.Expand(Padding, Axes));
        OptionsCheck.For(this)
            .Require(Enumerable.Range(0, Axes).All(axis => padding[axis] <= kernel[axis] / 2), $"Padding [{string.Join(", ", Padding)}] must be at most half of KernelSize [{string.Join(", ", KernelSize)}].")
            .ThrowIfAny();
    }
}

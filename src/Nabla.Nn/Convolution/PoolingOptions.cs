namespace Nabla.Nn;

/// <summary>Kind and size of a <see cref="Pool1d"/> or <see cref="Pool2d"/>.</summary>
public sealed record PoolingOptions
{
    /// <summary>max, average, adaptive-max, adaptive-average, global-max or global-average. Default: max.</summary>
    public string Name { get; init; } = "max";

    /// <summary>Window size along each axis, at least 1 (max, average). Default: 2.</summary>
    public int KernelSize { get; init; } = 2;

    /// <summary>Step along each axis; null: the window size (max, average). Default: null.</summary>
    public int? Stride { get; init; }

    /// <summary>Padding on each side, at most half the window (max, average). Default: 0.</summary>
    public int Padding { get; init; }

    /// <summary>Output size along each axis, at least 1 (adaptive). Default: 1.</summary>
    public int OutputSize { get; init; } = 1;

    /// <summary>Valid values of <see cref="Name"/>.</summary>
    public static IReadOnlyCollection<string> Names { get; } = ["max", "average", "adaptive-max", "adaptive-average", "global-max", "global-average"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf(nameof(Name), Name, Names)
        .Require(KernelSize >= 1, $"KernelSize must be at least 1; it is {KernelSize}.")
        .Require(Stride is null or >= 1, $"Stride must be at least 1; it is {Stride}.")
        .Require(Padding >= 0 && Padding <= KernelSize / 2, $"Padding ({Padding}) must be between 0 and half of KernelSize ({KernelSize}).")
        .Require(OutputSize >= 1, $"OutputSize must be at least 1; it is {OutputSize}.")
        .ThrowIfAny();
}

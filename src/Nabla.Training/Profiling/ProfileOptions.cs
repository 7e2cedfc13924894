using Nabla.Core;

namespace Nabla.Training;

/// <summary>Which steps of a training are profiled.</summary>
public sealed record ProfileOptions
{
    /// <summary>Steps that pass first: caches fill, memory settles. At least 0. Default: 3.</summary>
    public int WarmupSteps { get; init; } = 3;

    /// <summary>Steps that are profiled, at least 1. Default: 5.</summary>
    public int Steps { get; init; } = 5;

    /// <summary>Whether single operations of the native library are timed too, where it offers that (about a microsecond each). Default: true.</summary>
    public bool Operations { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(WarmupSteps >= 0, $"WarmupSteps must be at least 0; it is {WarmupSteps}.")
        .Require(Steps >= 1, $"Steps must be at least 1; it is {Steps}.")
        .ThrowIfAny();
}

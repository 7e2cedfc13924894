using Nabla.Core;

namespace Nabla.Training;

/// <summary>Lookahead around any optimiser but lbfgs: slow weights that follow it every few steps (Zhang et al., 2019, arXiv:1907.08610).</summary>
public sealed record LookaheadOptions
{
    /// <summary>Steps of the inner optimiser between two steps of the slow weights, at least 1. Default: 5.</summary>
    public int Steps { get; init; } = 5;

    /// <summary>Share of the way that the slow weights go, in (0, 1]. Default: 0.5.</summary>
    public double Alpha { get; init; } = 0.5;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Steps >= 1, $"steps must be at least 1; it is {Steps}.")
        .Require(Alpha is > 0 and <= 1, $"alpha must be in (0, 1]; it is {Alpha}.")
        .ThrowIfAny();
}

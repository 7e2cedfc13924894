using Nabla.Core;

namespace Nabla.Training;

/// <summary>What follows when a loss or a gradient is NaN or infinite.</summary>
public sealed record NonFiniteOptions
{
    /// <summary>
    /// Stop with an error that names the first bad tensor, or skip: leave that step out (weights, optimiser, average and buffers stay as they were)
    /// and go on. Skip looks at all gradients of each step, which on a GPU waits for it. Default: stop.
    /// </summary>
    public NonFinitePolicy Policy { get; init; } = NonFinitePolicy.Stop;

    /// <summary>With skip: how many steps in a row may be left out before training stops. Default: 10.</summary>
    public int Limit { get; init; } = 10;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Limit >= 1, $"limit must be at least 1; it is {Limit}.")
        .Require(Enum.IsDefined(Policy), $"policy must be stop or skip; it is {Policy}.")
        .ThrowIfAny();
}

/// <summary>What follows when a loss or a gradient is not finite.</summary>
public enum NonFinitePolicy
{
    /// <summary>Training ends with an error.</summary>
    Stop,

    /// <summary>The step is left out.</summary>
    Skip,
}

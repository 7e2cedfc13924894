namespace Nabla.Nn;

/// <summary>Sizes and content of a <see cref="PaddingLayer"/>.</summary>
public sealed record PaddingOptions
{
    /// <summary>Entries added before and after each axis, the last axis first, such as <c>[left, right, top, bottom]</c>; below 0 cuts (zeros only).</summary>
    public required IReadOnlyList<int> Sizes { get; init; }

    /// <summary>What is added: zeros (or <see cref="Value"/>), reflect, replicate or circular. Default: zeros.</summary>
    public string Mode { get; init; } = "zeros";

    /// <summary>The number added by mode zeros. Default: 0.</summary>
    public double Value { get; init; }

    /// <summary>Valid values of <see cref="Mode"/>.</summary>
    public static IReadOnlyCollection<string> ModeNames { get; } = ["zeros", "reflect", "replicate", "circular"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf(nameof(Mode), Mode, ModeNames)
        .Require(Sizes.Count is 2 or 4 or 6, $"Sizes must hold two numbers for each of one to three axes; there are {Sizes.Count}.")
        .Require(Mode == "zeros" || Sizes.All(size => size >= 0), $"Sizes below 0 work with mode zeros only; they are [{string.Join(", ", Sizes)}], and Mode is {Mode}.")
        .ThrowIfAny();
}

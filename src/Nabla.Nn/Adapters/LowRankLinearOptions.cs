namespace Nabla.Nn;

/// <summary>Size and kind of a <see cref="LowRankLinear"/>.</summary>
public sealed record LowRankLinearOptions
{
    /// <summary>Width of the input, at least 1.</summary>
    public required int InputFeatures { get; init; }

    /// <summary>Width of the output, at least 1.</summary>
    public required int OutputFeatures { get; init; }

    /// <summary>Rank of the change, at least 1. Default: 8.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Strength of the change, which is multiplied by alpha / rank; above 0. Default: 16.</summary>
    public double Alpha { get; init; } = 16;

    /// <summary>Whether the change is multiplied by alpha / sqrt(rank) instead, so that large ranks keep learning (Kalajdzievski, 2023, arXiv:2312.03732). Default: false.</summary>
    public bool IsRankStabilized { get; init; }

    /// <summary>Whether each output's length is trained apart from its direction (DoRA: Liu et al., 2024, arXiv:2402.09353). Default: false.</summary>
    public bool UseMagnitude { get; init; }

    /// <summary>Chance of dropping an input of the change while training, in [0, 1); not with <see cref="UseMagnitude"/>. Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether the layer has a bias, frozen like the weight. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Factor of the change.</summary>
    internal double Scale => Alpha / (IsRankStabilized ? Math.Sqrt(Rank) : Rank);

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(InputFeatures >= 1, $"InputFeatures must be at least 1; it is {InputFeatures}.")
        .Require(OutputFeatures >= 1, $"OutputFeatures must be at least 1; it is {OutputFeatures}.")
        .Require(Rank >= 1, $"Rank must be at least 1; it is {Rank}.")
        .Require(Alpha > 0, $"Alpha must be above 0; it is {Alpha}.")
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .Require(Dropout == 0 || !UseMagnitude, $"Dropout ({Dropout}) does not work with UseMagnitude.")
        .ThrowIfAny();
}

namespace Nabla.Nn;

/// <summary>Size and routing of a <see cref="MixtureOfExperts"/>.</summary>
public sealed record MixtureOfExpertsOptions
{
    /// <summary>Width of input and output, at least 1.</summary>
    public required int Features { get; init; }

    /// <summary>Width inside each expert, at least 1.</summary>
    public required int HiddenFeatures { get; init; }

    /// <summary>Number of experts, at least 1. Default: 8.</summary>
    public int Experts { get; init; } = 8;

    /// <summary>How many experts each token goes to, between 1 and <see cref="Experts"/>. Default: 2.</summary>
    public int TopK { get; init; } = 2;

    /// <summary>Whether the weights of the chosen experts are divided by their sum. Default: true.</summary>
    public bool Renormalizes { get; init; } = true;

    /// <summary>How scores become weights: softmax over the experts, or sigmoid of each. Default: softmax.</summary>
    public string Score { get; init; } = "softmax";

    /// <summary>Most tokens that an expert takes of a batch, at least 1: first choices before second ones, earlier tokens first, the rest gets nothing from it; null: all. Default: null.</summary>
    public int? Capacity { get; init; }

    /// <summary>Valid values of <see cref="Score"/>.</summary>
    public static IReadOnlyCollection<string> ScoreNames { get; } = ["softmax", "sigmoid"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .Require(HiddenFeatures >= 1, $"HiddenFeatures must be at least 1; it is {HiddenFeatures}.")
        .Require(Experts >= 1, $"Experts must be at least 1; it is {Experts}.")
        .Require(TopK >= 1 && TopK <= Experts, $"TopK ({TopK}) must be between 1 and Experts ({Experts}).")
        .OneOf(nameof(Score), Score, ScoreNames)
        .Require(Capacity is null or >= 1, $"Capacity must be at least 1; it is {Capacity}.")
        .ThrowIfAny();
}

/// <summary>Result of a <see cref="MixtureOfExperts"/>. The holder owns the tensors.</summary>
/// <param name="Output">The shape of the input.</param>
/// <param name="BalanceLoss"><c>experts * sum over experts of (share of choices * mean probability)</c>, <c>[]</c>: 1 when all experts are used alike (Fedus et al., 2022, arXiv:2101.03961, with shares that sum to 1).</param>
/// <param name="LogitLoss"><c>mean(logsumexp(logits)^2)</c>, <c>[]</c>: keeps the router's logits small (Zoph et al., 2022, arXiv:2202.08906).</param>
/// <param name="Weights">Weight of each chosen expert, <c>[tokens, topK]</c>.</param>
/// <param name="Choices">The chosen experts, int64, <c>[tokens, topK]</c>.</param>
/// <param name="Loads">How often each expert was chosen, before its capacity, int64, <c>[experts]</c>.</param>
/// <param name="Kept">Whether a choice was within the expert's capacity, bool, <c>[tokens, topK]</c>.</param>
public sealed record MixtureOutput(Tensor Output, Tensor BalanceLoss, Tensor LogitLoss, Tensor Weights, Tensor Choices, Tensor Loads, Tensor Kept) : IDisposable
{
    /// <summary>Hands the tensors to the scope around the current one.</summary>
    public MixtureOutput MoveToOuterDisposeScope() => new(
        Output.MoveToOuterDisposeScope(), BalanceLoss.MoveToOuterDisposeScope(), LogitLoss.MoveToOuterDisposeScope(), Weights.MoveToOuterDisposeScope(),
        Choices.MoveToOuterDisposeScope(), Loads.MoveToOuterDisposeScope(), Kept.MoveToOuterDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var part in (Tensor[])[Output, BalanceLoss, LogitLoss, Weights, Choices, Loads, Kept])
        {
            part.Dispose();
        }
    }
}

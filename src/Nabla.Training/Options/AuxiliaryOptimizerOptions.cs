using Nabla.Core;

namespace Nabla.Training;

/// <summary>The AdamW beside muon: it takes parameters with fewer than two axes and those whose name fits a pattern. A schedule moves both rates alike.</summary>
public sealed record AuxiliaryOptimizerOptions
{
    /// <summary>Learning rate where muon has its peak rate. Default: 1e-3.</summary>
    public double LearningRate { get; init; } = 1e-3;

    /// <summary>Decoupled weight decay of its decayed parameters, at least 0. Default: 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Decay of first and second moment, two numbers in [0, 1); null: 0.9 and 0.999. Default: null.</summary>
    public IReadOnlyList<double>? Betas { get; init; }

    /// <summary>Added to the denominator; null: 1e-8. Default: null.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Patterns of matrices that are no hidden layers, with * for any text. Default: *embed*, *head*, wte*, wpe*.</summary>
    public IReadOnlyList<string> Match { get; init; } = ["*embed*", "*head*", "wte*", "wpe*"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(LearningRate > 0 && double.IsFinite(LearningRate), $"learning_rate must be above 0; it is {LearningRate}.")
        .Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), $"weight_decay must be at least 0; it is {WeightDecay}.")
        .Require(Betas is null || (Betas.Count == 2 && Betas.All(beta => beta is >= 0 and < 1)), $"betas must be 2 numbers in [0, 1); it is [{string.Join(", ", Betas ?? [])}].")
        .Require(Epsilon is null or >= 0, $"epsilon must be at least 0; it is {Epsilon}.")
        .ThrowIfAny();

    internal OptimizerOptions ToOptimizer() => new() { Name = "adamw", LearningRate = LearningRate, WeightDecay = WeightDecay, Betas = Betas, Epsilon = Epsilon };
}

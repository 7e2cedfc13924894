using Nabla.Core;

namespace Nabla.Training;

/// <summary>Rate and decay of the parameters whose name fits a pattern, such as <c>{match: "head.*", learning_rate_factor: 10}</c>.</summary>
public sealed record ParameterGroupOptions
{
    /// <summary>Pattern of the parameter's name in the model; * stands for any text, ? for one character: <c>head.*</c>, <c>*.bias</c>.</summary>
    public required string Match { get; init; }

    /// <summary>Factor on the learning rate, at least 0. Default: 1.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Weight decay, at least 0; null: as without the group. Default: null.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(!string.IsNullOrWhiteSpace(Match), "match must be a pattern of parameter names, such as head.*; it is empty.")
        .Require(LearningRateFactor >= 0 && double.IsFinite(LearningRateFactor), $"learning_rate_factor must be at least 0; it is {LearningRateFactor}.")
        .Require(WeightDecay is null || (WeightDecay >= 0 && double.IsFinite(WeightDecay.Value)), $"weight_decay must be at least 0; it is {WeightDecay}.")
        .ThrowIfAny();
}

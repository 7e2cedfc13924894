namespace Nabla.Models;

/// <summary>How a <see cref="TextGenerator"/> chooses tokens, and when it stops.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to generate, at least 1. Default: 200.</summary>
    public int MaxTokens { get; init; } = 200;

    /// <summary>Divides the logits: below 1 safer, above 1 bolder, 0 takes the likeliest token always. At least 0. Default: 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Chooses among this many likeliest tokens only (Fan et al., 2018), at least 1; null: among all. Default: null.</summary>
    public int? TopK { get; init; }

    /// <summary>Chooses among the fewest likeliest tokens that hold this much probability (Holtzman et al., 2019), in (0, 1]; null: among all. Default: null.</summary>
    public double? TopP { get; init; }

    /// <summary>Fixes the choices. Default: 1.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>Stops after this token, which is not given out; null: only <see cref="MaxTokens"/> stops. Default: null.</summary>
    public long? StopToken { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MaxTokens >= 1, $"max_tokens must be at least 1; it is {MaxTokens}.")
        .Require(Temperature >= 0 && double.IsFinite(Temperature), $"temperature must be at least 0; it is {Temperature}.")
        .Require(TopK is null or >= 1, $"top_k must be at least 1; it is {TopK}.")
        .Require(TopP is null or (> 0 and <= 1), $"top_p must be in (0, 1]; it is {TopP}.")
        .ThrowIfAny();
}

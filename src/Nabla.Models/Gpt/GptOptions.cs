namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="Gpt"/>. Defaults: nanoGPT's for Shakespeare's characters, without dropout.</summary>
public sealed record GptOptions
{
    internal static readonly IReadOnlyList<string> NormalizationNames = ["layer-norm", "rms-norm"];

    /// <summary>Width of the token vectors and blocks, a multiple of <see cref="Heads"/>. Default: 384.</summary>
    public int Features { get; init; } = 384;

    /// <summary>Number of blocks, at least 1. Default: 6.</summary>
    public int Layers { get; init; } = 6;

    /// <summary>Attention heads of each block, at least 1. Default: 6.</summary>
    public int Heads { get; init; } = 6;

    /// <summary>Key and value heads (grouped queries, Ainslie et al., 2023, arXiv:2305.13245), a divisor of <see cref="Heads"/>; null: as many. Default: null.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Width inside the feed-forward part; null: 4 x features, or two thirds of that when gated. Default: null.</summary>
    public int? HiddenFeatures { get; init; }

    /// <summary>Most tokens that the next one can depend on, at least 1; null: the length of the training examples. Default: null.</summary>
    public int? ContextLength { get; init; }

    /// <summary>How places are told apart: learned or sinusoidal vectors, rotary (Su et al., 2021, arXiv:2104.09864), or none. Default: learned.</summary>
    public string Positions { get; init; } = "learned";

    /// <summary>Normalisation: layer-norm or rms-norm. Default: layer-norm.</summary>
    public string Normalization { get; init; } = "layer-norm";

    /// <summary>Activation of the feed-forward part. Default: gelu.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>Whether the feed-forward part is gated (with silu: SwiGLU). Default: false.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether projections have a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Whether the head uses the token vectors as weights (Press and Wolf, 2017, arXiv:1608.05859). Default: true.</summary>
    public bool TieHead { get; init; } = true;

    /// <summary>Chance of dropping an entry of the token vectors and of each part's output while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Chance of dropping an attention weight while training, in [0, 1); slow on the CPU. Default: 0.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Whether the blocks' activations are computed again in the backward pass instead of being kept: about a third more time, much less memory, same bits (Chen et al., 2016, arXiv:1604.06174). Default: false.</summary>
    public bool Recompute { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"features must be at least 1; it is {Features}.")
        .Require(Layers >= 1, $"layers must be at least 1; it is {Layers}.")
        .Require(Heads >= 1, $"heads must be at least 1; it is {Heads}.")
        .Require(Heads < 1 || Features % Heads == 0, $"features ({Features}) must be a multiple of heads ({Heads}).")
        .Require(KeyValueHeads is null || (KeyValueHeads >= 1 && Heads % KeyValueHeads == 0), $"heads ({Heads}) must be a multiple of key_value_heads ({KeyValueHeads}).")
        .Require(HiddenFeatures is null or >= 1, $"hidden_features must be at least 1; it is {HiddenFeatures}.")
        .Require(ContextLength is null or >= 1, $"context_length must be at least 1; it is {ContextLength}.")
        .OneOf("positions", Positions, TransformerEncoderOptions.PositionNames)
        .Require(Positions != "rotary" || Heads < 1 || Features / Heads % 2 == 0, $"positions rotary needs an even head size; features / heads is {(Heads < 1 ? 0 : Features / Heads)}.")
        .OneOf("normalization", Normalization, NormalizationNames)
        .OneOf("activation", Activation, ActivationFunctions.Names)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(AttentionDropout is >= 0 and < 1, $"attention_dropout must be in [0, 1); it is {AttentionDropout}.")
        .ThrowIfAny();
}

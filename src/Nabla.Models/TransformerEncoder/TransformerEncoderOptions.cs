namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="TransformerEncoderClassifier"/>.</summary>
public sealed record TransformerEncoderOptions
{
    internal static readonly IReadOnlyList<string> PoolingNames = ["mean", "max", "cls"];
    internal static readonly IReadOnlyList<string> PositionNames = ["learned", "sinusoidal", "rotary", "none"];

    /// <summary>Width of the token vectors and blocks, a multiple of <see cref="Heads"/>. Default: 128.</summary>
    public int Features { get; init; } = 128;

    /// <summary>Number of blocks, at least 1. Default: 4.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>Attention heads of each block, at least 1. Default: 4.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Width inside the feed-forward part; null: 4 x features. Default: null.</summary>
    public int? HiddenFeatures { get; init; }

    /// <summary>How places are told apart: learned or sinusoidal vectors, rotary (Su et al., 2021, arXiv:2104.09864), or none. Default: learned.</summary>
    public string Positions { get; init; } = "learned";

    /// <summary>Activation of the feed-forward part. Default: gelu.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>What the head reads: mean or max over real tokens, or cls (a learned token put in front). Default: mean.</summary>
    public string Pooling { get; init; } = "mean";

    /// <summary>Chance of dropping an entry of the token vectors, of each part's output and before the head while training, in [0, 1). Default: 0.1.</summary>
    public double Dropout { get; init; } = 0.1;

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
        .Require(HiddenFeatures is null or >= 1, $"hidden_features must be at least 1; it is {HiddenFeatures}.")
        .OneOf("positions", Positions, PositionNames)
        .Require(Positions != "rotary" || Heads < 1 || Features / Heads % 2 == 0, $"positions rotary needs an even head size; features / heads is {(Heads < 1 ? 0 : Features / Heads)}.")
        .OneOf("activation", Activation, ActivationFunctions.Names)
        .OneOf("pooling", Pooling, PoolingNames)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(AttentionDropout is >= 0 and < 1, $"attention_dropout must be in [0, 1); it is {AttentionDropout}.")
        .ThrowIfAny();
}

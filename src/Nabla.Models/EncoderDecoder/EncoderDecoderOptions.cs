namespace Nabla.Models;

/// <summary>Size and regularisation of an <see cref="EncoderDecoder"/>.</summary>
public sealed record EncoderDecoderOptions
{
    internal static readonly IReadOnlyList<string> PositionNames = ["learned", "sinusoidal", "none"];

    /// <summary>Width of the token vectors and blocks, a multiple of <see cref="Heads"/>. Default: 128.</summary>
    public int Features { get; init; } = 128;

    /// <summary>Number of blocks of the encoder, at least 1. Default: 4.</summary>
    public int EncoderLayers { get; init; } = 4;

    /// <summary>Number of blocks of the decoder, at least 1. Default: 4.</summary>
    public int DecoderLayers { get; init; } = 4;

    /// <summary>Attention heads of each block, at least 1. Default: 4.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Width inside the feed-forward parts; null: 4 x features. Default: null.</summary>
    public int? HiddenFeatures { get; init; }

    /// <summary>How places are told apart: learned or sinusoidal vectors, or none. Default: learned.</summary>
    public string Positions { get; init; } = "learned";

    /// <summary>Activation of the feed-forward parts. Default: gelu.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>Whether each part normalises its input (pre-norm) instead of the sum behind it (post-norm, as in the paper). Default: true.</summary>
    public bool NormalizeFirst { get; init; } = true;

    /// <summary>Whether source and answer share one table of token vectors; they must share a vocabulary. Default: false.</summary>
    public bool ShareTokens { get; init; }

    /// <summary>Whether the head uses the answer's token vectors as weights (Press and Wolf, 2017, arXiv:1608.05859). Default: true.</summary>
    public bool TieHead { get; init; } = true;

    /// <summary>Chance of dropping an entry of the token vectors, of hidden units and of each part's output while training, in [0, 1). Default: 0.1.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>Chance of dropping an attention weight while training, in [0, 1). Default: 0.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"features must be at least 1; it is {Features}.")
        .Require(EncoderLayers >= 1, $"encoder_layers must be at least 1; it is {EncoderLayers}.")
        .Require(DecoderLayers >= 1, $"decoder_layers must be at least 1; it is {DecoderLayers}.")
        .Require(Heads >= 1, $"heads must be at least 1; it is {Heads}.")
        .Require(Heads < 1 || Features % Heads == 0, $"features ({Features}) must be a multiple of heads ({Heads}).")
        .Require(HiddenFeatures is null or >= 1, $"hidden_features must be at least 1; it is {HiddenFeatures}.")
        .OneOf("positions", Positions, PositionNames)
        .OneOf("activation", Activation, ActivationFunctions.Names)
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .Require(AttentionDropout is >= 0 and < 1, $"attention_dropout must be in [0, 1); it is {AttentionDropout}.")
        .ThrowIfAny();
}

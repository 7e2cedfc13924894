namespace Nabla.Nn;

/// <summary>Size and parts of a <see cref="TransformerBlock"/>.</summary>
public sealed record TransformerBlockOptions
{
    /// <summary>Width of input and output; a multiple of <see cref="Heads"/>.</summary>
    public required int Features { get; init; }

    /// <summary>Number of attention heads. Default: 8.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Number of key and value heads; null: as many as heads. Default: null.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Width inside the feed-forward part; null: 4 x features, or 8/3 x when gated. Default: null.</summary>
    public int? HiddenFeatures { get; init; }

    /// <summary>Activation of the feed-forward part. Default: gelu.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>Whether the feed-forward part is gated (silu: SwiGLU). Default: false.</summary>
    public bool IsGated { get; init; }

    /// <summary>layer-norm or rms-norm. Default: layer-norm.</summary>
    public string Normalization { get; init; } = "layer-norm";

    /// <summary>Whether each part normalises its input (pre-norm) instead of the sum behind it (post-norm). Default: true.</summary>
    public bool NormalizeFirst { get; init; } = true;

    /// <summary>Chance of dropping an entry of each part's output and of the hidden units, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Chance of dropping an attention weight, in [0, 1). Default: 0.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Chance of dropping a whole part for an example, in [0, 1). Default: 0.</summary>
    public double StochasticDepth { get; init; }

    /// <summary>Whether projections have a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Whether a step sees only itself and what came before. Default: false.</summary>
    public bool IsCausal { get; init; }

    /// <summary>Whether queries and keys are turned by their position. Default: false.</summary>
    public bool UseRotaryPositions { get; init; }

    internal AttentionOptions Attention => new()
    {
        Features = Features,
        Heads = Heads,
        KeyValueHeads = KeyValueHeads,
        Dropout = AttentionDropout,
        UseBias = UseBias,
        IsCausal = IsCausal,
        UseRotaryPositions = UseRotaryPositions,
    };

    internal FeedForwardOptions FeedForward => new()
    {
        Features = Features,
        HiddenFeatures = HiddenFeatures,
        Activation = Activation,
        IsGated = IsGated,
        UseBias = UseBias,
        Dropout = Dropout,
    };

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate()
    {
        OptionsCheck.For(this)
            .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
            .Require(StochasticDepth is >= 0 and < 1, $"StochasticDepth must be in [0, 1); it is {StochasticDepth}.")
            .Require(Normalization is "layer-norm" or "rms-norm", $"Normalization must be layer-norm or rms-norm; it is '{Normalization}'.")
            .ThrowIfAny();
        Attention.Validate();
        FeedForward.Validate();
    }
}

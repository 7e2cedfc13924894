namespace Nabla.Nn;

/// <summary>Size and extras of a <see cref="CrossAttention"/>.</summary>
public sealed record CrossAttentionOptions
{
    /// <summary>Width of queries and output; a multiple of <see cref="Heads"/>.</summary>
    public required int Features { get; init; }

    /// <summary>Number of heads, at least 1. Default: 8.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Width of the keys, at least 1; null: <see cref="Features"/>. Default: null.</summary>
    public int? KeyFeatures { get; init; }

    /// <summary>Width of the values, at least 1; null: <see cref="Features"/>. Default: null.</summary>
    public int? ValueFeatures { get; init; }

    /// <summary>Chance of dropping an attention weight while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether projections have a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Whether one trained key and value stand behind the others, visible to all. Default: false.</summary>
    public bool UseTrainedKey { get; init; }

    /// <summary>Whether one key and value of zeros stand behind the others, so that a query may attend to nothing. Default: false.</summary>
    public bool UseZeroKey { get; init; }

    /// <summary>Whether a query that sees no key gives NaN, as PyTorch's MultiheadAttention does, instead of the output bias. Default: false.</summary>
    public bool EmptyRowsAreNaN { get; init; }

    internal int SizeOfHead => Features / Math.Max(1, Heads);

    /// <summary>Whether the three projections share one weight, as in PyTorch.</summary>
    internal bool IsPacked => (KeyFeatures ?? Features) == Features && (ValueFeatures ?? Features) == Features;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .Require(Heads >= 1, $"Heads must be at least 1; it is {Heads}.")
        .Require(Heads < 1 || Features % Heads == 0, $"Features ({Features}) must be a multiple of Heads ({Heads}).")
        .Require(KeyFeatures is null or >= 1, $"KeyFeatures must be at least 1; it is {KeyFeatures}.")
        .Require(ValueFeatures is null or >= 1, $"ValueFeatures must be at least 1; it is {ValueFeatures}.")
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .ThrowIfAny();
}

/// <summary>What a <see cref="CrossAttention"/> takes; the caller owns the tensors.</summary>
/// <param name="Query"><c>[batch, queryTime, features]</c>.</param>
/// <param name="Key"><c>[batch, keyTime, keyFeatures]</c>.</param>
/// <param name="Value"><c>[batch, keyTime, valueFeatures]</c>.</param>
/// <param name="Mask">Bool: <c>[batch, keyTime]</c>, true where a key is real, or <c>[batch or 1, heads or 1, queryTime, keyTime]</c>, true where a query sees a key; null: all is real.</param>
public sealed record AttentionInput(Tensor Query, Tensor Key, Tensor Value, Tensor? Mask = null);

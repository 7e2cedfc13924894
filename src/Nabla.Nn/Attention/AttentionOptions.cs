namespace Nabla.Nn;

/// <summary>Size and regularisation of a <see cref="MultiHeadAttention"/>.</summary>
public sealed record AttentionOptions
{
    /// <summary>Width of input and output. A multiple of <see cref="Heads"/> unless <see cref="HeadSize"/> is set.</summary>
    public required int Features { get; init; }

    /// <summary>Number of query heads, at least 1. Default: 8.</summary>
    public int Heads { get; init; } = 8;

    /// <summary>Number of key and value heads (grouped queries, Ainslie et al., 2023); <see cref="Heads"/> is a multiple of it; null: the same number. Default: null.</summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>Size of a head; null: features / heads. Default: null.</summary>
    public int? HeadSize { get; init; }

    /// <summary>Chance of dropping an attention weight while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether projections have a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Whether a step sees only itself and what came before. Default: false.</summary>
    public bool IsCausal { get; init; }

    /// <summary>Whether queries and keys are turned by their position (<see cref="RotaryEmbedding"/>). Default: false.</summary>
    public bool UseRotaryPositions { get; init; }

    /// <summary>Base of the rotary wave lengths, above 1. Default: 10000.</summary>
    public double RotaryBase { get; init; } = 10000;

    internal int KeyHeads => KeyValueHeads ?? Heads;

    internal int SizeOfHead => HeadSize ?? (Features / Math.Max(1, Heads));

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .Require(Heads >= 1, $"Heads must be at least 1; it is {Heads}.")
        .Require(HeadSize is not null || Heads < 1 || Features % Heads == 0, $"Features ({Features}) must be a multiple of Heads ({Heads}), or HeadSize must be set.")
        .Require(HeadSize is null or >= 1, $"HeadSize must be at least 1; it is {HeadSize}.")
        .Require(KeyValueHeads is null || (KeyValueHeads >= 1 && Heads % KeyValueHeads == 0), $"Heads ({Heads}) must be a multiple of KeyValueHeads ({KeyValueHeads}).")
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .Require(!UseRotaryPositions || SizeOfHead % 2 == 0, $"UseRotaryPositions needs an even head size; it is {SizeOfHead}.")
        .Require(RotaryBase > 1, $"RotaryBase must be above 1; it is {RotaryBase}.")
        .ThrowIfAny();
}

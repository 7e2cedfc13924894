namespace Nabla.Nn;

/// <summary>Size and positions of a <see cref="TokenEmbedding"/>.</summary>
public sealed record TokenEmbeddingOptions
{
    /// <summary>How many token ids there are, at least 1.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Size of each vector, at least 1.</summary>
    public required int Features { get; init; }

    /// <summary>Position vectors that are added: none, learned or sinusoidal. Default: learned.</summary>
    public string Positions { get; init; } = "learned";

    /// <summary>Longest sequence with positions, at least 1. Default: 512.</summary>
    public int MaxTime { get; init; } = 512;

    /// <summary>An id whose vector is 0 and stays so; null: none. Default: null.</summary>
    public int? PaddingId { get; init; }

    /// <summary>Chance of dropping an entry of the sum while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether token vectors are multiplied by the root of <see cref="Features"/> (Vaswani et al., section 3.4). Default: false.</summary>
    public bool ScaleByRootFeatures { get; init; }

    /// <summary>Spread of the initial vectors, above 0. Default: 0.02, as in GPT-2.</summary>
    public double StandardDeviation { get; init; } = 0.02;

    /// <summary>Valid values of <see cref="Positions"/>.</summary>
    public static IReadOnlyCollection<string> PositionNames { get; } = ["none", "learned", "sinusoidal"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(VocabularySize >= 1, $"VocabularySize must be at least 1; it is {VocabularySize}.")
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .OneOf(nameof(Positions), Positions, PositionNames)
        .Require(MaxTime >= 1, $"MaxTime must be at least 1; it is {MaxTime}.")
        .Require(PaddingId is null || (PaddingId >= 0 && PaddingId < VocabularySize), $"PaddingId ({PaddingId}) must lie in [0, VocabularySize={VocabularySize}).")
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .Require(StandardDeviation > 0, $"StandardDeviation must be above 0; it is {StandardDeviation}.")
        .ThrowIfAny();
}

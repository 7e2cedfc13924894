namespace Nabla.Models;

/// <summary>Size and regularisation of a <see cref="RecurrentLanguageModel"/> or <see cref="RecurrentClassifier"/>.</summary>
public sealed record RecurrentModelOptions
{
    internal static readonly IReadOnlyList<string> PoolingNames = ["max", "mean", "last"];

    /// <summary>Size of a token's vector, at least 1. Default: 128.</summary>
    public int Embedding { get; init; } = 128;

    /// <summary>Width of the state, at least 1. Default: 256.</summary>
    public int Hidden { get; init; } = 256;

    /// <summary>Stacked layers, at least 1. Default: 1.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Chance of dropping a unit of the token vectors, between layers and before the head while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether a second direction reads from the end (classifier only). Default: false.</summary>
    public bool IsBidirectional { get; init; }

    /// <summary>What the classifier's head reads: max or mean over real tokens, or last (the final state of each direction). Default: max.</summary>
    public string Pooling { get; init; } = "max";

    /// <summary>Whether the language model's head uses the token vectors as weights (Press and Wolf, 2017, arXiv:1608.05859); Embedding must equal Hidden. Default: false.</summary>
    public bool TieHead { get; init; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Embedding >= 1, $"embedding must be at least 1; it is {Embedding}.")
        .Require(Hidden >= 1, $"hidden must be at least 1; it is {Hidden}.")
        .Require(Layers >= 1, $"layers must be at least 1; it is {Layers}.")
        .Require(Dropout is >= 0 and < 1, $"dropout must be in [0, 1); it is {Dropout}.")
        .OneOf("pooling", Pooling, PoolingNames)
        .Require(!TieHead || Embedding == Hidden, $"tie_head needs embedding ({Embedding}) equal to hidden ({Hidden}).")
        .ThrowIfAny();

    /// <summary>The layers, with the cell that the family's name says.</summary>
    internal RecurrentOptions Recurrence(string cell) => new()
    {
        Cell = cell,
        InputFeatures = Embedding,
        HiddenFeatures = Hidden,
        Layers = Layers,
        IsBidirectional = IsBidirectional,
        Dropout = Layers > 1 ? Dropout : 0,
    };
}

namespace Nabla.Nn;

/// <summary>Size and kind of a <see cref="Recurrent"/>.</summary>
public sealed record RecurrentOptions
{
    /// <summary>lstm, gru, rnn-tanh or rnn-relu. Default: lstm.</summary>
    public string Cell { get; init; } = "lstm";

    /// <summary>Width of the input, at least 1.</summary>
    public required int InputFeatures { get; init; }

    /// <summary>Width of the state, at least 1.</summary>
    public required int HiddenFeatures { get; init; }

    /// <summary>Stacked layers, at least 1. Default: 1.</summary>
    public int Layers { get; init; } = 1;

    /// <summary>Whether a second direction reads from the end; its outputs are appended to the features. Default: false.</summary>
    public bool IsBidirectional { get; init; }

    /// <summary>Chance of dropping a unit between layers while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether gates have biases. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Width to which an LSTM's outputs are projected (Sak et al., 2014), below <see cref="HiddenFeatures"/>; null: none. Default: null.</summary>
    public int? ProjectionFeatures { get; init; }

    /// <summary>Valid values of <see cref="Cell"/>.</summary>
    public static IReadOnlyCollection<string> CellNames { get; } = ["lstm", "gru", "rnn-tanh", "rnn-relu"];

    internal int Directions => IsBidirectional ? 2 : 1;

    internal int OutputFeatures => ProjectionFeatures ?? HiddenFeatures;

    internal int Gates => Cell switch { "lstm" => 4, "gru" => 3, _ => 1 };

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf(nameof(Cell), Cell, CellNames)
        .Require(InputFeatures >= 1, $"InputFeatures must be at least 1; it is {InputFeatures}.")
        .Require(HiddenFeatures >= 1, $"HiddenFeatures must be at least 1; it is {HiddenFeatures}.")
        .Require(Layers >= 1, $"Layers must be at least 1; it is {Layers}.")
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .Require(ProjectionFeatures is null || Cell == "lstm", $"ProjectionFeatures works with Cell lstm only; the cell is {Cell}.")
        .Require(ProjectionFeatures is null || (ProjectionFeatures >= 1 && ProjectionFeatures < HiddenFeatures), $"ProjectionFeatures ({ProjectionFeatures}) must be between 1 and HiddenFeatures ({HiddenFeatures}) - 1.")
        .ThrowIfAny();
}

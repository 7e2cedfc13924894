namespace Nabla.Nn;

/// <summary>Size and kind of a <see cref="FeedForwardBlock"/>.</summary>
public sealed record FeedForwardOptions
{
    /// <summary>Width of input and output, at least 1.</summary>
    public required int Features { get; init; }

    /// <summary>Width inside; null: 4 x features (Vaswani et al., 2017, section 3.3), or two thirds of that when gated, so that parameters stay alike. Default: null.</summary>
    public int? HiddenFeatures { get; init; }

    /// <summary>Activation by name: relu, gelu, gelu-tanh, silu ... Default: gelu.</summary>
    public string Activation { get; init; } = "gelu";

    /// <summary>Whether a second projection is multiplied in: <c>down(activation(gate(x)) * up(x))</c>; silu gives SwiGLU, gelu GEGLU, sigmoid GLU. Default: false.</summary>
    public bool IsGated { get; init; }

    /// <summary>Whether projections have a bias. Default: true.</summary>
    public bool UseBias { get; init; } = true;

    /// <summary>Chance of dropping a hidden unit while training, in [0, 1). Default: 0.</summary>
    public double Dropout { get; init; }

    internal int Hidden => HiddenFeatures ?? (IsGated ? Math.Max(1, Features * 8 / 3) : 4 * Features);

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(Features >= 1, $"Features must be at least 1; it is {Features}.")
        .Require(HiddenFeatures is null or >= 1, $"HiddenFeatures must be at least 1; it is {HiddenFeatures}.")
        .OneOf(nameof(Activation), Activation, ActivationFunctions.Names)
        .Require(Dropout is >= 0 and < 1, $"Dropout must be in [0, 1); it is {Dropout}.")
        .ThrowIfAny();
}

namespace Nabla.Nn;

/// <summary>How weights start, for <see cref="Initializers"/>.</summary>
public sealed record InitializerOptions
{
    /// <summary>Name, such as kaiming-normal; see <see cref="Initializers.Names"/>. Default: kaiming-uniform.</summary>
    public string Name { get; init; } = "kaiming-uniform";

    /// <summary>Factor of the spread (xavier, orthogonal), above 0. Default: 1.</summary>
    public double Gain { get; init; } = 1;

    /// <summary>Whether kaiming counts outputs instead of inputs, so that gradients keep their size. Default: false.</summary>
    public bool UseFanOut { get; init; }

    /// <summary>The activation behind the weights (kaiming): linear, relu, leaky-relu, tanh, sigmoid or selu. Default: leaky-relu, with slope 0 the same as relu.</summary>
    public string Nonlinearity { get; init; } = "leaky-relu";

    /// <summary>Negative slope of leaky-relu (kaiming). Default: 0.</summary>
    public double NegativeSlope { get; init; }

    /// <summary>Mean (normal, truncated-normal). Default: 0.</summary>
    public double Mean { get; init; }

    /// <summary>Spread (normal, truncated-normal), at least 0. Default: 0.02, as in BERT and GPT-2.</summary>
    public double StandardDeviation { get; init; } = 0.02;

    /// <summary>Lower bound (uniform; truncated-normal, absolute). Default: -2.</summary>
    public double Low { get; init; } = -2;

    /// <summary>Upper bound (uniform; truncated-normal, absolute). Default: 2.</summary>
    public double High { get; init; } = 2;

    /// <summary>The value (constant). Default: 0.</summary>
    public double Value { get; init; }

    /// <summary>Valid values of <see cref="Nonlinearity"/>.</summary>
    public static IReadOnlyCollection<string> NonlinearityNames { get; } = ["linear", "relu", "leaky-relu", "tanh", "sigmoid", "selu"];

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate() => OptionsCheck.For(this)
        .OneOf(nameof(Name), Name, Initializers.Names)
        .OneOf(nameof(Nonlinearity), Nonlinearity, NonlinearityNames)
        .Require(Gain > 0, $"Gain must be above 0; it is {Gain}.")
        .Require(StandardDeviation >= 0, $"StandardDeviation must be at least 0; it is {StandardDeviation}.")
        .Require(Low <= High, $"Low ({Low}) must be at most High ({High}).")
        .ThrowIfAny();
}

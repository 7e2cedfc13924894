namespace Nabla.Models;

/// <summary>Activations that may write over their argument, by name.</summary>
internal static class ActivationFunctions
{
    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = ["relu", "gelu", "silu", "mish", "elu", "leaky-relu", "tanh"];

    /// <summary>
    /// Applies the activation called <paramref name="name"/>. Relu writes over <paramref name="x"/>, which must be a fresh result of
    /// an operation that does not need its output for the gradient (linear, convolution, normalisation).
    /// </summary>
    public static Tensor Apply(string name, Tensor x) => name switch
    {
        "relu" => x.relu_(),
        "gelu" => functional.gelu(x),
        "silu" => functional.silu(x),
        "mish" => functional.mish(x),
        "elu" => functional.elu(x, 1.0),
        "leaky-relu" => functional.leaky_relu(x, 0.01),
        "tanh" => x.tanh(),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, $"Valid: {string.Join(", ", Names)}."),
    };
}

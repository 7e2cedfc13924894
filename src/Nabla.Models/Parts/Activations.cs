namespace Nabla.Models;

/// <summary>Activations on results that nobody else needs.</summary>
internal static class Activations
{
    /// <summary>
    /// Applies the activation called <paramref name="name"/>. Relu writes over <paramref name="x"/>, which saves memory and time: it must
    /// be a fresh result of an operation that does not need its output for the gradient (linear, convolution, normalisation).
    /// </summary>
    public static Tensor Apply(string name, Tensor x) => name == "relu" ? x.relu_() : ActivationFunctions.Function(name)(x);
}

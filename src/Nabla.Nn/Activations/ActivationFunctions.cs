namespace Nabla.Nn;

/// <summary>Activation functions by name. Thread-safe.</summary>
public static class ActivationFunctions
{
    private static readonly Dictionary<string, Func<Tensor, Tensor>> Functions = new(StringComparer.Ordinal)
    {
        ["relu"] = x => functional.relu(x),
        ["gelu"] = x => functional.gelu(x),
        ["gelu-tanh"] = x => functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        ["silu"] = x => functional.silu(x),
        ["tanh"] = x => functional.tanh(x),
        ["sigmoid"] = x => functional.sigmoid(x),
        ["leaky-relu"] = x => functional.leaky_relu(x, 0.01),
        ["elu"] = x => functional.elu(x, 1),
        ["selu"] = x => functional.selu(x),
        ["celu"] = x => functional.celu(x, 1),
        ["mish"] = x => functional.mish(x),
        ["softplus"] = x => functional.softplus(x),
        ["softsign"] = x => functional.softsign(x),
        ["relu6"] = x => functional.relu6(x),
        ["hard-swish"] = x => functional.hardswish(x),
        ["hard-sigmoid"] = x => functional.hardsigmoid(x),
        ["hard-tanh"] = x => SafeOps.HardTanh(x),
        ["squared-relu"] = SquaredRelu,
        ["identity"] = x => x.alias(),
    };

    /// <summary>The names, such as relu, gelu, gelu-tanh, silu, tanh, identity.</summary>
    public static IReadOnlyCollection<string> Names => Functions.Keys;

    /// <summary>A module without parameters that applies the function to every entry.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">The name is not known; the message lists the names.</exception>
    public static Module<Tensor, Tensor> Create(string name) => new ActivationLayer(name);

    /// <summary>The function itself; it returns a new tensor and leaves its argument alone.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">The name is not known; the message lists the names.</exception>
    public static Func<Tensor, Tensor> Function(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Functions.TryGetValue(name, out var function)
            ? function
            : throw new ArgumentException($"Activation '{name}' is not known. {NearestName.Suggest(name, Functions.Keys)}", nameof(name));
    }

    /// <summary>relu(x)^2. Source: So et al. (2021), arXiv:2109.08668.</summary>
    private static Tensor SquaredRelu(Tensor x)
    {
        using var positive = functional.relu(x);
        return positive.square();
    }

    private sealed class ActivationLayer : Module<Tensor, Tensor>
    {
        private readonly Func<Tensor, Tensor> _function;

        public ActivationLayer(string name)
            : base(name)
        {
            _function = Function(name);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x) => _function(x);
    }
}

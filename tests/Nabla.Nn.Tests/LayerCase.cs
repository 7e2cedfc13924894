using System.Text.Json;

namespace Nabla.Nn.Tests;

/// <summary>One golden layer case in one precision: hands out its inputs and weights, and remembers where gradients are wanted.</summary>
internal sealed class LayerCase(GoldenCase golden, ScalarType type)
{
    /// <summary>Tensors whose gradients are compared, by the golden name behind <c>grad.</c></summary>
    public Dictionary<string, Tensor> Sources { get; } = [];

    /// <summary>Buffers after forward, by the golden name behind <c>buffer.</c></summary>
    public Dictionary<string, Tensor> Buffers { get; } = [];

    /// <summary>Error that rounding alone explains in float32; set by kinds that need it. Default: 0.</summary>
    public double Rounding { get; set; }

    public GoldenCase Golden => golden;

    public ScalarType Type => type;

    public JsonElement Options => golden.Options;

    public bool IsTraining => golden.Json.Boolean("train", true);

    public Tensor Input(string name) => TryInput(name) ?? throw new KeyNotFoundException($"{golden} has no input '{name}'.");

    public Tensor? TryInput(string name) => Source(name, "input." + name);

    public Tensor? Parameter(string name)
        => Source("param." + name, golden.Has("param." + name) ? "param." + name : "input.param." + name);

    public Tensor? Buffer(string name) => Source("buffer." + name, "buffer." + name);

    /// <summary>Gives the module this precision and the case's weights (golden name for each of the module's names).</summary>
    public T Load<T>(T module, Func<string, string>? goldenName = null)
        where T : nn.Module
    {
        goldenName ??= name => name;
        module.to(type);
        module.train(IsTraining);
        using (no_grad())
        {
            foreach (var (name, parameter) in module.named_parameters())
            {
                var value = Parameter(goldenName(name)) ?? throw new KeyNotFoundException($"{golden} has no param.{goldenName(name)}.");
                parameter.copy_(value);
                Sources["param." + goldenName(name)] = parameter;
            }
            foreach (var (name, buffer) in module.named_buffers().Where(named => golden.Has("buffer." + goldenName(named.name))))
            {
                buffer.copy_(Buffer(goldenName(name))!);
                Buffers[goldenName(name)] = buffer;
            }
        }
        return module;
    }

    /// <summary>Gives the module this precision and weights that the case stores as inputs (golden name for each of the module's names).</summary>
    public T LoadInputs<T>(T module, Func<string, string> goldenName)
        where T : nn.Module
    {
        module.to(type);
        module.train(IsTraining);
        using (no_grad())
        {
            foreach (var (name, parameter) in module.named_parameters())
            {
                parameter.copy_(golden.Tensor("input." + goldenName(name)).view(parameter.shape));
                parameter.requires_grad = true; // also where the layer freezes it: the case has its gradient
                Sources[goldenName(name)] = parameter;
            }
        }
        return module;
    }

    private Tensor? Source(string name, string role)
    {
        if (Sources.TryGetValue(name, out var known))
        {
            return known;
        }
        if (!golden.Has(role))
        {
            return null;
        }
        var tensor = golden.Tensor(role);
        if (tensor.is_floating_point())
        {
            tensor = tensor.to(type).detach();
            if (golden.Has($"grad.{name}.f64"))
            {
                Sources[name] = tensor.requires_grad_();
            }
        }
        return tensor;
    }
}

namespace Nabla.Training.Tests;

/// <summary>The two problems that the reference trajectories run on, in one precision.</summary>
internal sealed class TrajectoryProblem : IDisposable
{
    private static readonly string[] MlpNames = ["layer1.weight", "layer1.bias", "norm.weight", "norm.bias", "layer2.weight", "layer2.bias"];
    private readonly Dictionary<string, Parameter> _parameters;
    private readonly Dictionary<string, Tensor> _data;
    private readonly bool _isQuadratic;

    public TrajectoryProblem(GoldenTensors file, string prefix, bool isQuadratic, ScalarType dtype)
    {
        Tensor Read(string key)
        {
            using var tensor = file.Tensor($"{prefix}.{key}");
            return (tensor.dtype == ScalarType.Int64 ? tensor.clone() : tensor.to(dtype, copy: true)).DetachFromDisposeScope();
        }
        _isQuadratic = isQuadratic;
        _data = (isQuadratic ? new[] { "a", "b" } : ["inputs", "labels"]).ToDictionary(key => key, Read);
        _parameters = isQuadratic
            ? new() { ["x"] = Read("x0").AsOwnedParameter() }
            : MlpNames.ToDictionary(key => key, key => Read(key).AsOwnedParameter());
    }

    public IEnumerable<NamedParameter> Parameters => _parameters.Select(parameter => new NamedParameter(parameter.Key, parameter.Value));

    public Parameter this[string name] => _parameters[name];

    /// <summary>The loss and its gradients; the caller is in a scope.</summary>
    public double Backward()
    {
        using var scope = NewDisposeScope();
        var loss = Loss();
        loss.backward();
        return loss.to(ScalarType.Float64).item<double>();
    }

    public double Value()
    {
        using var scope = NewDisposeScope();
        return Loss().to(ScalarType.Float64).item<double>();
    }

    private Tensor Loss()
    {
        if (_isQuadratic)
        {
            var x = _parameters["x"];
            return (0.5 * x.dot(_data["a"].mv(x))) - _data["b"].dot(x);
        }
        var hidden = nn.functional.linear(_data["inputs"], _parameters["layer1.weight"], _parameters["layer1.bias"]).tanh();
        hidden = nn.functional.layer_norm(hidden, [8], _parameters["norm.weight"], _parameters["norm.bias"], 1e-5);
        return nn.functional.cross_entropy(nn.functional.linear(hidden, _parameters["layer2.weight"], _parameters["layer2.bias"]), _data["labels"]);
    }

    public void Dispose()
    {
        foreach (var parameter in _parameters.Values)
        {
            parameter.grad = null;
            parameter.Dispose();
        }
        foreach (var tensor in _data.Values)
        {
            tensor.Dispose();
        }
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>Parameters seen as one vector. The model owns them; call it without gradients, inside a scope.</summary>
internal sealed class FlatParameters
{
    private readonly NamedParameter[] _parameters;

    public FlatParameters(NamedParameter[] parameters)
    {
        _parameters = parameters;
        if (parameters.Length == 0)
        {
            throw new ArgumentException("The optimiser has nothing to change: none of the given parameters requires a gradient. Unfreeze some, or do not train.", nameof(parameters));
        }
        if (parameters.GroupBy(parameter => parameter.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Parameter '{twice.Key}' is given to the optimiser twice. Each parameter belongs to one group, once.", nameof(parameters));
        }
        Count = parameters.Sum(parameter => parameter.Value.NumberOfElements);
    }

    /// <summary>Length of the vector.</summary>
    public long Count { get; }

    /// <summary>Type of the first parameter, in which the vector is.</summary>
    public ScalarType Type => _parameters[0].Value.dtype;

    /// <summary>Device of the first parameter, on which the vector is.</summary>
    public Device Device => _parameters[0].Value.device;

    /// <summary>A copy of the values, <c>[count]</c>.</summary>
    public Tensor Values() => Join(_parameters.Select(parameter => Vector(parameter.Value)));

    /// <summary>The gradients, <c>[count]</c>; 0 where there is none.</summary>
    public Tensor Gradient() => Join(_parameters.Select(parameter => parameter.Value.grad is { } gradient
        ? Vector(gradient.is_sparse ? gradient.to_dense() : gradient)
        : zeros([parameter.Value.NumberOfElements], Type, Device)));

    /// <summary>Adds a vector times a number.</summary>
    /// <param name="direction">The vector, <c>[count]</c>.</param>
    /// <param name="length">The number.</param>
    public void Move(Tensor direction, double length)
    {
        foreach (var (parameter, part) in Parts(direction))
        {
            parameter.add_(part, alpha: Number.Of(length));
        }
    }

    /// <summary>Sets all values.</summary>
    /// <param name="values">The values, <c>[count]</c>.</param>
    public void Set(Tensor values)
    {
        foreach (var (parameter, part) in Parts(values))
        {
            parameter.copy_(part);
        }
    }

    /// <summary>Forgets all gradients.</summary>
    public void ZeroGradients()
    {
        foreach (var parameter in _parameters)
        {
            parameter.Value.grad = null;
        }
    }

    /// <summary>A new vector, also where there is one part: TorchSharp's cat would hand that back itself.</summary>
    private static Tensor Join(IEnumerable<Tensor> parts)
    {
        var all = parts.ToArray();
        return all is [var only] ? only.clone() : cat(all);
    }

    private Tensor Vector(Tensor tensor) => tensor.detach().reshape(-1).to(Type, Device);

    private IEnumerable<(Parameter Parameter, Tensor Part)> Parts(Tensor vector)
    {
        var start = 0L;
        foreach (var (_, parameter) in _parameters)
        {
            yield return (parameter, vector.narrow(0, start, parameter.NumberOfElements).view(parameter.Sizes()));
            start += parameter.NumberOfElements;
        }
    }
}

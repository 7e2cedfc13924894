using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Numbers that an optimiser keeps once, not for each parameter, such as a count of steps. They are float64 scalars under keys that begin
/// with <c>@</c>, which no parameter's name can. The optimiser owns it.
/// </summary>
/// <param name="names">Names of the numbers, without the @.</param>
internal sealed class SharedState(params string[] names) : IDisposable
{
    private readonly Tensor?[] _tensors = new Tensor?[names.Length];

    /// <summary>The numbers, in the order of the names.</summary>
    public double[] Values { get; } = new double[names.Length];

    /// <summary>Keys in the optimiser's state.</summary>
    public IEnumerable<string> Keys => names.Select(name => "@" + name);

    /// <summary>Whether any number differs from 0, the state of a fresh optimiser.</summary>
    public bool HasState => Array.Exists(Values, value => value != 0);

    /// <summary>The numbers as tensors by key; owned by this.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors
    {
        get
        {
            for (var i = 0; i < names.Length; i++)
            {
                _tensors[i] ??= zeros([], ScalarType.Float64).DetachFromDisposeScope();
                yield return new("@" + names[i], _tensors[i]!.fill_(Number.Of(Values[i])));
            }
        }
    }

    /// <summary>What of a saved state does not fit.</summary>
    /// <param name="state">Tensors by key.</param>
    public IEnumerable<string> Differences(IReadOnlyDictionary<string, Tensor> state)
        => Keys.Where(key => !state.ContainsKey(key)).Select(key => $"'{key}' is missing")
            .Concat(Keys.Where(key => state.TryGetValue(key, out var value) && value.numel() != 1)
                .Select(key => $"'{key}' has shape {ShapeException.Format(state[key].Sizes())}, expected []"));

    /// <summary>Takes over saved numbers; those that are not there become 0.</summary>
    /// <param name="state">Tensors by key, already checked. Called inside a scope.</param>
    public void Load(IReadOnlyDictionary<string, Tensor> state)
    {
        for (var i = 0; i < names.Length; i++)
        {
            Values[i] = state.TryGetValue("@" + names[i], out var value) ? value.to(ScalarType.Float64).cpu().item<double>() : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _tensors)
        {
            tensor?.Dispose();
        }
    }
}

namespace Nabla.Training;

/// <summary>
/// Several optimisers as one, each over its own parameters. The rate of each keeps its proportion to that of the first, so a schedule moves all.
/// Owns them.
/// </summary>
internal sealed class CompositeOptimizer : Optimizer
{
    private readonly Optimizer[] _parts;
    private readonly double[] _proportions;

    public CompositeOptimizer(params Optimizer[] parts)
    {
        _parts = parts;
        _proportions = [.. parts.Select(part => part.LearningRate / parts[0].LearningRate)];
        Groups = [.. parts.SelectMany(part => part.Groups)];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterGroup> Groups { get; }

    /// <inheritdoc/>
    public override double LearningRate
    {
        get => _parts[0].LearningRate;
        set
        {
            foreach (var (part, proportion) in _parts.Zip(_proportions))
            {
                part.LearningRate = value * proportion;
            }
        }
    }

    /// <inheritdoc/>
    public override double? Momentum
    {
        get => _parts[0].Momentum;
        set => _parts[0].Momentum = value;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State => _parts.SelectMany(part => part.State).ToDictionary(StringComparer.Ordinal);

    /// <inheritdoc/>
    public override void ZeroGradients()
    {
        foreach (var part in _parts)
        {
            part.ZeroGradients();
        }
    }

    /// <inheritdoc/>
    public override void Step()
    {
        foreach (var part in _parts)
        {
            part.Step();
        }
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var owners = _parts.SelectMany((part, index) => part.Groups.SelectMany(group => group.Parameters).Select(parameter => (parameter.Name, index)))
            .ToDictionary(owner => owner.Name, owner => owner.index, StringComparer.Ordinal);
        // A key that is nobody's goes to the first part, which then names it among its differences.
        var split = state.ToLookup(entry => entry.Key.LastIndexOf('.') is > 0 and var dot && owners.TryGetValue(entry.Key[..dot], out var owner) ? owner : 0);
        for (var i = 0; i < _parts.Length; i++)
        {
            _parts[i].LoadState(split[i].ToDictionary(StringComparer.Ordinal));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var part in _parts)
            {
                part.Dispose();
            }
        }
    }
}

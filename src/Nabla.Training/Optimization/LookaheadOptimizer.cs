using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Lookahead: every k steps of another optimiser, slow weights move a share of the way to its weights and replace them,
/// <c>slow += alpha (p - slow); p = slow</c> (Zhang et al., 2019, arXiv:1907.08610). The other optimiser's state is kept. Owns that optimiser.
/// </summary>
internal sealed class LookaheadOptimizer : Optimizer
{
    private const string Role = "slow_weight";
    private readonly Optimizer _inner;
    private readonly LookaheadOptions _options;
    private readonly SharedState _shared = new("lookahead_step");
    private readonly (NamedParameter Parameter, Tensor Slow)[] _slow;

    public LookaheadOptimizer(Optimizer inner, LookaheadOptions options)
    {
        (_inner, _options) = (inner, options);
        using var noGradients = no_grad();
        _slow = [.. inner.Groups.SelectMany(group => group.Parameters).Where(p => p.Value.requires_grad).Select(p => (p, p.Value.clone().DetachFromDisposeScope()))];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ParameterGroup> Groups => _inner.Groups;

    /// <inheritdoc/>
    public override double LearningRate
    {
        get => _inner.LearningRate;
        set => _inner.LearningRate = value;
    }

    /// <inheritdoc/>
    public override double? Momentum
    {
        get => _inner.Momentum;
        set => _inner.Momentum = value;
    }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor>(_inner.State, StringComparer.Ordinal);
            if (_shared.HasState)
            {
                foreach (var (key, value) in _shared.Tensors.Concat(_slow.Select(slow => KeyValuePair.Create(Key(slow.Parameter), slow.Slow))))
                {
                    state[key] = value;
                }
            }
            return state;
        }
    }

    /// <inheritdoc/>
    public override bool HasAverage => _inner.HasAverage;

    /// <inheritdoc/>
    public override void CopyAverage(IReadOnlyDictionary<string, Tensor> targets) => _inner.CopyAverage(targets);

    /// <inheritdoc/>
    public override void ZeroGradients() => _inner.ZeroGradients();

    /// <inheritdoc/>
    public override void Step()
    {
        _inner.Step();
        if (++_shared.Values[0] % _options.Steps != 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var (parameter, slow) in _slow)
        {
            slow.add_(parameter.Value.sub(slow), alpha: Number.Of(_options.Alpha));
            parameter.Value.copy_(slow);
        }
    }

    /// <inheritdoc/>
    public override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var inner = state.Where(entry => !entry.Key.EndsWith("." + Role, StringComparison.Ordinal) && !_shared.Keys.Contains(entry.Key)).ToDictionary(StringComparer.Ordinal);
        var differences = state.Count == 0 ? [] : _shared.Differences(state)
            .Concat(_slow.Where(slow => !state.ContainsKey(Key(slow.Parameter))).Select(slow => $"'{Key(slow.Parameter)}' is missing"))
            .Concat(_slow.Where(slow => state.TryGetValue(Key(slow.Parameter), out var saved) && !saved.Sizes().AsSpan().SequenceEqual(slow.Slow.Sizes()))
                .Select(slow => $"'{Key(slow.Parameter)}' has shape {ShapeException.Format(state[Key(slow.Parameter)].Sizes())}, expected {ShapeException.Format(slow.Slow.Sizes())}"))
            .ToList();
        if (differences.Count > 0)
        {
            throw new CheckpointException($"The saved optimiser state does not fit lookahead ({differences.Count} differences): {string.Join("; ", differences)}. Resume with the optimiser and the model that wrote it, or start with a fresh optimiser.");
        }
        _inner.LoadState(inner);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        _shared.Load(state);
        foreach (var (parameter, slow) in _slow)
        {
            slow.copy_(state.TryGetValue(Key(parameter), out var saved) ? saved : parameter.Value);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            _shared.Dispose();
            foreach (var (_, slow) in _slow)
            {
                slow.Dispose();
            }
        }
    }

    private static string Key(NamedParameter parameter) => $"{parameter.Name}.{Role}";
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// What all optimisers share: groups, state by parameter, step counts, saving and loading. A rule says which roles of state it keeps
/// and how one parameter moves; a rule with a kernel over lists of tensors overrides <see cref="UpdateGroup"/>.
/// </summary>
internal abstract class GroupedOptimizer : Optimizer
{
    private const string StepRole = "step";
    private readonly ParameterGroup[] _groups;
    private readonly ParameterSlot[][] _slots;
    private readonly string[] _roles;
    private readonly List<ParameterUpdate> _updates = [];
    private VectorLists?[]? _vectors;
    private double? _momentum;

    /// <summary>Takes over groups.</summary>
    /// <param name="settings">Numbers of the rule.</param>
    /// <param name="groups">Groups; parameters that require no gradient are left out.</param>
    /// <param name="momentum">Initial <see cref="Momentum"/>, or null where the rule has none.</param>
    /// <param name="roles">Names of the state tensors of each parameter.</param>
    protected GroupedOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups, double? momentum, params string[] roles)
    {
        (Settings, _roles, _momentum, LearningRate) = (settings, roles, momentum, settings.LearningRate);
        _groups = [.. groups];
        _slots = [.. groups.Select(group => group.Parameters.Where(p => p.Value.requires_grad).Select(p => new ParameterSlot(p)).ToArray())];
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var slot in AllSlots)
        {
            if (!names.Add(slot.Name))
            {
                throw new ArgumentException($"Parameter '{slot.Name}' is given to the optimiser twice. Each parameter belongs to one group, once.", nameof(groups));
            }
        }
        if (names.Count == 0)
        {
            throw new ArgumentException("The optimiser has nothing to change: none of the given parameters requires a gradient. Unfreeze some, or do not train.", nameof(groups));
        }
    }

    /// <inheritdoc/>
    public sealed override IReadOnlyList<ParameterGroup> Groups => _groups;

    /// <inheritdoc/>
    public sealed override double? Momentum
    {
        get => _momentum;
        set
        {
            if (_momentum is not null && value is { } momentum)
            {
                ArgumentOutOfRangeException.ThrowIfNegative(momentum);
                ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(momentum, 1);
                _momentum = momentum;
            }
        }
    }

    /// <summary>Numbers of the rule.</summary>
    protected OptimizerSettings Settings { get; }

    /// <inheritdoc/>
    public sealed override IReadOnlyDictionary<string, Tensor> State
    {
        get
        {
            var state = new Dictionary<string, Tensor>(StringComparer.Ordinal);
            foreach (var slot in AllSlots.Where(slot => slot.HasState))
            {
                state[Key(slot, StepRole)] = slot.StepCount;
                for (var i = 0; i < _roles.Length; i++)
                {
                    state[Key(slot, _roles[i])] = slot.State[i];
                }
            }
            if (Shared is { HasState: true } shared)
            {
                foreach (var (key, value) in shared.Tensors)
                {
                    state[key] = value;
                }
            }
            return state;
        }
    }

    /// <summary>Numbers that all parameters share, or null where the rule has none.</summary>
    protected virtual SharedState? Shared => null;

    /// <summary>Whether the rule moves only the rows that a sparse gradient names; otherwise such a gradient is made dense first.</summary>
    protected virtual bool TakesSparseRows => false;

    /// <summary>Every parameter with its state, in the order of the groups.</summary>
    protected IEnumerable<ParameterSlot> AllSlots => _slots.SelectMany(slots => slots);

    /// <inheritdoc/>
    public sealed override void ZeroGradients()
    {
        foreach (var slot in AllSlots)
        {
            slot.Value.grad = null;
        }
    }

    /// <inheritdoc/>
    public sealed override void Step()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        OnStep();
        for (var i = 0; i < _groups.Length; i++)
        {
            GroupRates rates = new(LearningRate * _groups[i].LearningRateFactor, _groups[i].WeightDecay);
            if (TryUpdateInMemory(rates, i))
            {
                continue;
            }
            var updates = Collect(_slots[i]);
            if (updates.Count > 0)
            {
                UpdateGroup(rates, updates);
            }
        }
        _updates.Clear();
    }

    /// <inheritdoc/>
    public sealed override void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        ArgumentNullException.ThrowIfNull(state);
        var differences = Differences(state);
        if (differences.Count > 0)
        {
            throw new CheckpointException(
                $"The saved optimiser state does not fit this optimiser and model ({differences.Count} differences): {string.Join("; ", differences)}. Resume with the optimiser and the model that wrote it, or start with a fresh optimiser.");
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Shared?.Load(state);
        foreach (var slot in AllSlots)
        {
            var isSaved = state.TryGetValue(Key(slot, StepRole), out var steps);
            slot.Steps = isSaved ? steps!.to(ScalarType.Int64).item<long>() : 0;
            slot.Replace(isSaved ? NewState(slot.Value) : []);
            for (var i = 0; i < slot.State.Length; i++)
            {
                slot.State[i].copy_(state[Key(slot, _roles[i])]);
            }
        }
    }

    /// <summary>Called once before the parameters of a step move.</summary>
    protected virtual void OnStep()
    {
    }

    /// <summary>The first state tensor of a role. Called without gradients; the optimiser takes it over.</summary>
    /// <param name="role">Name of the role.</param>
    /// <param name="parameter">The parameter it belongs to.</param>
    protected virtual Tensor NewState(string role, Parameter parameter) => zeros_like(parameter);

    /// <summary>Lists of addresses for a group, for a rule whose kernel works on float32 in memory (<see cref="UpdateVectors"/>); null where it has none.</summary>
    protected virtual VectorLists? CreateVectors() => null;

    /// <summary>Moves the parameters of one group that have a gradient, all of them in memory. Their step counts have been raised.</summary>
    /// <param name="group">Rate and decay of the group.</param>
    /// <param name="vectors">Their addresses.</param>
    protected virtual void UpdateVectors(GroupRates group, VectorLists vectors) => throw new NotSupportedException();

    /// <summary>Moves the parameters of one group. Their step counts have been raised; runs without gradients inside a scope.</summary>
    /// <param name="group">Rate and decay of the group.</param>
    /// <param name="updates">Parameters that have a gradient.</param>
    protected virtual void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var update in updates)
        {
            using var scope = NewDisposeScope(); // temporaries of one parameter are freed before the next needs as much memory again
            if (update.IsSparse)
            {
                UpdateRows(group, update.Slot, FusedKernels.Invoke("coalesce", update.Gradient)); // a row that occurs twice, once with the sum
                continue;
            }
            UpdateParameter(group, update.Slot, update.Gradient);
        }
    }

    /// <summary>Moves the rows that a sparse gradient names; called where <see cref="TakesSparseRows"/> says so.</summary>
    /// <param name="group">Rate and decay of the group.</param>
    /// <param name="slot">The parameter and its state.</param>
    /// <param name="gradient">Its gradient, sparse along the first axis, each row once.</param>
    protected virtual void UpdateRows(GroupRates group, ParameterSlot slot, Tensor gradient) => UpdateParameter(group, slot, gradient.to_dense());

    /// <summary>Moves one parameter in place: the plain form of the rule. The gradient must not be changed.</summary>
    /// <param name="group">Rate and decay of the group.</param>
    /// <param name="slot">The parameter and its state.</param>
    /// <param name="gradient">Its gradient, same shape.</param>
    protected abstract void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var slot in AllSlots)
            {
                slot.Dispose();
            }
            Shared?.Dispose();
        }
    }

    /// <summary>Gradient of the loss with the penalty <c>decay / 2 * |p|^2</c> (L2, not decoupled).</summary>
    /// <param name="gradient">Gradient of the loss.</param>
    /// <param name="slot">The parameter.</param>
    /// <param name="decay">Weight of the penalty.</param>
    protected static Tensor WithPenalty(Tensor gradient, ParameterSlot slot, double decay)
        => decay == 0 ? gradient : gradient.add(slot.Value, alpha: Number.Of(decay));

    private static string Key(ParameterSlot slot, string role) => $"{slot.Name}.{role}";

    private Tensor[] NewState(Parameter parameter) => [.. _roles.Select(role => NewState(role, parameter))];

    private bool TryUpdateInMemory(GroupRates group, int number)
    {
        _vectors ??= [.. _groups.Select(_ => CreateVectors())];
        if (_vectors[number] is not { } vectors || !vectors.TryFind(_slots[number], _roles.Length))
        {
            return false;
        }
        foreach (var slot in vectors.Moving)
        {
            MakeState(slot);
        }
        if (!vectors.TryFindStates())
        {
            return false;
        }
        foreach (var slot in vectors.Moving)
        {
            slot.Steps++;
        }
        UpdateVectors(group, vectors);
        return true;
    }

    private void MakeState(ParameterSlot slot)
    {
        if (slot.State.Length != _roles.Length)
        {
            slot.Replace(NewState(slot.Value));
        }
    }

    private List<ParameterUpdate> Collect(ParameterSlot[] slots)
    {
        _updates.Clear(); // one list for all steps: nothing of it outlives the group's update
        foreach (var slot in slots)
        {
            if (slot.Value.grad is not { } gradient)
            {
                continue;
            }
            MakeState(slot);
            slot.Steps++;
            var isSparse = gradient.is_sparse;
            _updates.Add(isSparse && !TakesSparseRows ? new(slot, gradient.to_dense()) : new(slot, gradient, isSparse));
        }
        return _updates;
    }

    private List<string> Differences(IReadOnlyDictionary<string, Tensor> state)
    {
        var differences = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var slot in AllSlots)
        {
            string[] keys = [Key(slot, StepRole), .. _roles.Select(role => Key(slot, role))];
            known.UnionWith(keys);
            if (!keys.Any(state.ContainsKey))
            {
                continue; // a parameter that never had a gradient has no state
            }
            differences.AddRange(keys.Where(key => !state.ContainsKey(key)).Select(key => $"'{key}' is missing"));
            using var expected = NewDisposeScope();
            var shapes = _roles.Select(role => NewState(role, slot.Value).Sizes()).Prepend([]);
            foreach (var (key, shape) in keys.Zip(shapes))
            {
                if (state.TryGetValue(key, out var tensor) && !tensor.Sizes().AsSpan().SequenceEqual(shape))
                {
                    differences.Add($"'{key}' has shape {ShapeException.Format(tensor.Sizes())}, expected {ShapeException.Format(shape)}");
                }
            }
        }
        if (Shared is { } shared)
        {
            known.UnionWith(shared.Keys);
            if (state.Count > 0)
            {
                differences.AddRange(shared.Differences(state));
            }
        }
        differences.AddRange(state.Keys.Where(key => !known.Contains(key)).Order(StringComparer.Ordinal).Select(key => $"'{key}' is not part of this optimiser"));
        return differences;
    }
}

/// <summary>Rate and decay that the parameters of one group have in this step.</summary>
/// <param name="LearningRate">Learning rate with the group's factor.</param>
/// <param name="WeightDecay">Weight decay.</param>
internal readonly record struct GroupRates(double LearningRate, double WeightDecay);

/// <summary>A parameter that moves in this step.</summary>
/// <param name="Slot">The parameter and its state.</param>
/// <param name="Gradient">Its gradient; dense unless the rule takes sparse rows.</param>
/// <param name="IsSparse">Whether it is sparse.</param>
internal readonly record struct ParameterUpdate(ParameterSlot Slot, Tensor Gradient, bool IsSparse = false);

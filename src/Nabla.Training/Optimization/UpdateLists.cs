namespace Nabla.Training;

/// <summary>Updates in the form that kernels over lists take. The arrays are reused from step to step. Not thread-safe.</summary>
internal sealed class UpdateLists
{
    private Tensor[] _parameters = [], _gradients = [], _steps = [];
    private Tensor[][] _states = [];

    /// <summary>The updates of a group in runs that a kernel can take together: one device, type and key. Nearly always that is one run, made without copying.</summary>
    /// <typeparam name="TKey">Type of the key.</typeparam>
    /// <param name="updates">Updates of a group.</param>
    /// <param name="key">What must be equal besides, such as the step count.</param>
    public static IEnumerable<(TKey Key, ParameterKind Kind, IReadOnlyList<ParameterUpdate> Updates)> Alike<TKey>(IReadOnlyList<ParameterUpdate> updates, Func<ParameterSlot, TKey> key)
        where TKey : IEquatable<TKey>
    {
        var (first, kind) = (key(updates[0].Slot), updates[0].Slot.Kind);
        for (var i = 1; i < updates.Count; i++)
        {
            if (!key(updates[i].Slot).Equals(first) || updates[i].Slot.Kind != kind)
            {
                return [.. updates.GroupBy(update => (key(update.Slot), update.Slot.Kind)).Select(same => (same.Key.Item1, same.Key.Kind, (IReadOnlyList<ParameterUpdate>)[.. same]))];
            }
        }
        return [(first, kind, updates)];
    }

    /// <summary>
    /// Whether every gradient lies in memory as its parameter (and its state, made after it) does. Kernels go through memory in order and would
    /// otherwise pair the wrong entries.
    /// </summary>
    /// <param name="updates">Updates of one kind.</param>
    public static bool HaveOneLayout(IReadOnlyList<ParameterUpdate> updates)
    {
        for (var i = 0; i < updates.Count; i++)
        {
            var (slot, gradient, isSparse) = updates[i];
            if (isSparse || gradient.is_contiguous() != slot.Kind.IsContiguous || (!slot.Kind.IsContiguous && !gradient.stride().AsSpan().SequenceEqual(slot.Value.stride())))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>One step count for every tensor, as libtorch's kernels want it.</summary>
    /// <param name="step">The count, <c>[]</c>.</param>
    /// <param name="count">How many tensors there are.</param>
    public Tensor[] Steps(Tensor step, int count)
    {
        if (_steps.Length != count)
        {
            _steps = new Tensor[count];
        }
        Array.Fill(_steps, step);
        return _steps;
    }

    /// <summary>Fills the lists.</summary>
    /// <param name="updates">Updates of one run.</param>
    /// <param name="roles">How many state tensors are wanted, from the first.</param>
    public (Tensor[] Parameters, Tensor[] Gradients, Tensor[][] States) Fill(IReadOnlyList<ParameterUpdate> updates, int roles)
    {
        if (_parameters.Length != updates.Count || _states.Length != roles)
        {
            (_parameters, _gradients) = (new Tensor[updates.Count], new Tensor[updates.Count]);
            _states = [.. Enumerable.Range(0, roles).Select(_ => new Tensor[updates.Count])];
        }
        for (var i = 0; i < updates.Count; i++)
        {
            var (slot, gradient, _) = updates[i];
            (_parameters[i], _gradients[i]) = (slot.Value, gradient);
            for (var role = 0; role < roles; role++)
            {
                _states[role][i] = slot.State[role];
            }
        }
        return (_parameters, _gradients, _states);
    }
}

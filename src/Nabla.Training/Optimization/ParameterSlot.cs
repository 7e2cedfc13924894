namespace Nabla.Training;

/// <summary>A parameter with what an optimiser remembers about it. The optimiser owns the state, the model the parameter.</summary>
internal sealed class ParameterSlot(NamedParameter parameter) : IDisposable
{
    private Tensor? _stepCount;

    /// <summary>Key of the parameter in the model's state.</summary>
    public string Name => parameter.Name;

    /// <summary>The parameter.</summary>
    public Parameter Value => parameter.Value;

    /// <summary>Steps taken with a gradient.</summary>
    public long Steps { get; set; }

    /// <summary>State by role, in the order of the optimiser's roles; empty before the first gradient.</summary>
    public Tensor[] State { get; private set; } = [];

    /// <summary>Whether there is anything to save.</summary>
    public bool HasState => Steps > 0;

    /// <summary><see cref="Steps"/> as a tensor, int64 <c>[]</c>; owned by the slot.</summary>
    public Tensor StepCount
    {
        get
        {
            _stepCount ??= zeros([], ScalarType.Int64).DetachFromDisposeScope();
            return _stepCount.fill_(Steps);
        }
    }

    /// <summary>Takes over state tensors, freeing what was there.</summary>
    /// <param name="state">One tensor for each role.</param>
    public void Replace(Tensor[] state)
    {
        foreach (var tensor in State)
        {
            tensor.Dispose();
        }
        foreach (var tensor in state)
        {
            tensor.DetachFromDisposeScope();
        }
        State = state;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Replace([]);
        _stepCount?.Dispose();
        _stepCount = null;
    }
}

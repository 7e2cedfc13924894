using Nabla.Core;

namespace Nabla.Training;

/// <summary>A parameter with what an optimiser remembers about it. The optimiser owns the state, the model the parameter.</summary>
internal sealed class ParameterSlot(NamedParameter parameter) : IDisposable
{
    private Tensor? _stepCount;
    private ParameterKind? _kind;

    /// <summary>Key of the parameter in the model's state.</summary>
    public string Name => parameter.Name;

    /// <summary>The parameter.</summary>
    public Parameter Value => parameter.Value;

    /// <summary>Steps taken with a gradient.</summary>
    public long Steps { get; set; }

    /// <summary>State by role, in the order of the optimiser's roles; empty before the first gradient.</summary>
    public Tensor[] State { get; private set; } = [];

    /// <summary>Type, device and layout of the parameter, asked once: native calls add up over hundreds of parameters.</summary>
    public ParameterKind Kind => _kind ??= new(Value.dtype, Value.device_type, Value.device_index, Value.is_contiguous());

    /// <summary>Whether there is anything to save.</summary>
    public bool HasState => Steps > 0;

    /// <summary><see cref="Steps"/> as a tensor, int64 <c>[]</c>; owned by the slot.</summary>
    public Tensor StepCount
    {
        get
        {
            _stepCount ??= zeros([], ScalarType.Int64).DetachFromDisposeScope();
            return _stepCount.fill_(Number.Of(Steps));
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
        _kind = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Replace([]);
        _stepCount?.Dispose();
        _stepCount = null;
    }
}

/// <summary>What kernels over lists of tensors must know of a parameter.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Device">Type of its device.</param>
/// <param name="DeviceIndex">Number of its device.</param>
/// <param name="IsContiguous">Whether its entries lie in the order of its axes.</param>
internal readonly record struct ParameterKind(ScalarType Type, DeviceType Device, int DeviceIndex, bool IsContiguous);

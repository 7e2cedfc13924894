namespace Nabla.Training;

/// <summary>
/// An optimiser whose state and step live in the host's memory, for models whose moments do not fit on their device: gradients come down,
/// the step runs on copies of the parameters, and those go up again. Source: Ren et al. (2021), "ZeRO-Offload", arXiv:2101.06840. Copies
/// are in pinned memory where the device is a GPU. It owns the copies and the optimiser over them.
/// </summary>
internal sealed class OffloadedOptimizer : Optimizer
{
    private readonly Optimizer _inner;
    private readonly IReadOnlyList<ParameterGroup> _groups;
    private readonly List<(Parameter Device, Parameter Host)> _pairs = [];

    /// <summary>Takes parameters over.</summary>
    /// <param name="groups">Groups of the model's parameters.</param>
    /// <param name="create">Makes the optimiser over the copies.</param>
    public OffloadedOptimizer(IReadOnlyList<ParameterGroup> groups, Func<IReadOnlyList<ParameterGroup>, Optimizer> create)
    {
        _groups = groups;
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        _inner = create([.. groups.Select(group => new ParameterGroup
        {
            Parameters = [.. group.Parameters.Where(parameter => parameter.Value.requires_grad).Select(Copy)],
            LearningRateFactor = group.LearningRateFactor,
            WeightDecay = group.WeightDecay,
        }).Where(group => group.Parameters.Count > 0)]);
        if (_inner.NeedsClosure)
        {
            Dispose();
            throw new Core.OptionsException("training.optimizer", ["offload is true, but this optimiser computes the loss again within a step, on the device. Leave offload out, or take another optimiser."]);
        }
    }

    public override IReadOnlyList<ParameterGroup> Groups => _groups;

    public override double LearningRate
    {
        get => _inner.LearningRate;
        set => _inner.LearningRate = value;
    }

    public override bool HasAverage => _inner.HasAverage;

    public override double? Momentum
    {
        get => _inner.Momentum;
        set => _inner.Momentum = value;
    }

    public override IReadOnlyDictionary<string, Tensor> State => _inner.State;

    public override void ZeroGradients()
    {
        foreach (var (device, _) in _pairs)
        {
            device.grad = null;
        }
    }

    public override void Step()
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        foreach (var (device, host) in _pairs)
        {
            if (device.grad is { } gradient)
            {
                host.grad = gradient.to(host.device);
                host.copy_(device); // others may have changed it since: an average that was applied, a loaded checkpoint
            }
        }
        _inner.Step();
        foreach (var (device, host) in _pairs)
        {
            if (host.grad is not null)
            {
                device.copy_(host);
            }
        }
        _inner.ZeroGradients();
    }

    public override void CopyAverage(IReadOnlyDictionary<string, Tensor> targets) => _inner.CopyAverage(targets);

    public override void LoadState(IReadOnlyDictionary<string, Tensor> state) => _inner.LoadState(state);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
            _pairs.ForEach(pair => pair.Host.Dispose());
        }
    }

    private NamedParameter Copy(NamedParameter parameter)
    {
        var values = parameter.Value.detach().to(CPU, copy: true);
        var host = Core.Ownership.AsOwnedParameter(parameter.Value.device_type == DeviceType.CUDA ? values.pin_memory() : values);
        _pairs.Add((parameter.Value, host));
        return parameter with { Value = host };
    }
}

namespace Nabla.Training;

/// <summary>
/// Gradient descent with momentum, <c>b = momentum * b + (1 - dampening) * g; p -= lr * b</c>, or Nesterov's form
/// <c>p -= lr * (g + momentum * b)</c> (Sutskever et al., 2013). As in PyTorch the first buffer is the gradient itself, without dampening.
/// </summary>
internal sealed class SgdOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Momentum > 0 ? settings.Momentum : null, settings.Momentum > 0 ? ["momentum"] : [])
{
    private readonly double _dampening = settings.Extra["dampening"];
    private readonly bool _maximize = settings.Is("maximize");

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var same in updates.GroupBy(update => (update.Slot.Steps == 1, update.Slot.Value.dtype, update.Slot.Value.device_type, update.Slot.Value.device_index)))
        {
            if (!Settings.UseFusedKernels || !FusedKernels.Support(same.Key.device_type))
            {
                base.UpdateGroup(group, [.. same]);
                continue;
            }
            FusedKernels.Invoke("sgd",
                same.Select(update => (Tensor)update.Slot.Value).ToArray(),
                same.Select(update => update.Gradient).ToArray(),
                Momentum is null ? Array.Empty<Tensor>() : same.Select(update => update.Slot.State[0]).ToArray(),
                group.WeightDecay, Momentum ?? 0, group.LearningRate, _dampening, Settings.Nesterov, _maximize, same.Key.Item1);
        }
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(_maximize ? gradient.neg() : gradient, slot, group.WeightDecay);
        if (Momentum is { } momentum)
        {
            var buffer = slot.State[0];
            if (slot.Steps == 1)
            {
                buffer.copy_(g);
            }
            else
            {
                buffer.mul_(momentum).add_(g, alpha: 1 - _dampening);
            }
            g = Settings.Nesterov ? g.add(buffer, alpha: momentum) : buffer;
        }
        slot.Value.add_(g, alpha: -group.LearningRate);
    }
}

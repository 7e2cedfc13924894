using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Gradient descent with momentum, <c>b = momentum * b + (1 - dampening) * g; p -= lr * b</c>, or Nesterov's form
/// <c>p -= lr * (g + momentum * b)</c> (Sutskever et al., 2013). As in PyTorch the first buffer is the gradient itself, without dampening.
/// </summary>
internal sealed class SgdOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Momentum > 0 ? settings.Momentum : null, settings.Momentum > 0 ? ["momentum"] : [])
{
    private static readonly Tensor[] NoTensors = [];
    private readonly UpdateLists _lists = new();
    private readonly double _dampening = settings.Extra["dampening"];
    private readonly bool _maximize = settings.Is("maximize");

    /// <inheritdoc/>
    protected override bool TakesSparseRows => true;

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var (isFirst, kind, same) in UpdateLists.Alike(updates, slot => slot.Steps == 1))
        {
            if (!Settings.UsesLists(kind, same))
            {
                base.UpdateGroup(group, same);
                continue;
            }
            var (parameters, gradients, states) = _lists.Fill(same, Momentum is null ? 0 : 1);
            FusedKernels.Invoke("sgd", parameters, gradients, Momentum is null ? NoTensors : states[0],
                group.WeightDecay, Momentum ?? 0, group.LearningRate, _dampening, Settings.Nesterov, _maximize, isFirst);
        }
    }

    /// <inheritdoc/>
    protected override void UpdateRows(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        if (Momentum is not null || group.WeightDecay != 0)
        {
            base.UpdateRows(group, slot, gradient); // momentum and decay move every row
            return;
        }
        slot.Value.index_add_(0, gradient.SparseIndices[0], gradient.SparseValues, Number.Of(_maximize ? group.LearningRate : -group.LearningRate));
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
                buffer.mul_(Number.Of(momentum)).add_(g, alpha: Number.Of(1 - _dampening));
            }
            g = Settings.Nesterov ? g.add(buffer, alpha: Number.Of(momentum)) : buffer;
        }
        slot.Value.add_(g, alpha: Number.Of(-group.LearningRate));
    }
}

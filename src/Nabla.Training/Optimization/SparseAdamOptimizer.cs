using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adam for tables of which a step touches few rows: with a sparse gradient only those rows move, and only their moments decay; PyTorch's
/// SparseAdam. A dense gradient moves every row, which is Adam. It has no weight decay, which would touch all rows.
/// </summary>
internal sealed class SparseAdamOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "second_moment")
{
    private readonly double _beta2 = settings.Betas[1];

    /// <inheritdoc/>
    protected override bool TakesSparseRows => true;

    /// <inheritdoc/>
    protected override void UpdateRows(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (rows, values) = (gradient.SparseIndices[0], gradient.SparseValues); // [touched], [touched, ...]
        var (m, v, beta1) = (slot.State[0], slot.State[1], Momentum!.Value);
        var first = m.index_select(0, rows).mul_(Number.Of(beta1)).add_(values, alpha: Number.Of(1 - beta1));
        var second = v.index_select(0, rows).mul_(Number.Of(_beta2)).addcmul_(values, values, Number.Of(1 - _beta2));
        m.index_copy_(0, rows, first);
        v.index_copy_(0, rows, second);
        slot.Value.index_add_(0, rows, first.div_(second.sqrt_().add_(Number.Of(Settings.Epsilon))), Number.Of(-StepSize(group, slot)));
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (m, v, beta1) = (slot.State[0], slot.State[1], Momentum!.Value);
        m.mul_(Number.Of(beta1)).add_(gradient, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).addcmul_(gradient, gradient, Number.Of(1 - _beta2));
        slot.Value.addcdiv_(m, v.sqrt().add_(Number.Of(Settings.Epsilon)), Number.Of(-StepSize(group, slot)));
    }

    private double StepSize(GroupRates group, ParameterSlot slot)
        => group.LearningRate * Math.Sqrt(1 - Math.Pow(_beta2, slot.Steps)) / (1 - Math.Pow(Momentum!.Value, slot.Steps));
}

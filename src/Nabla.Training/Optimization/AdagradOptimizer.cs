using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adagrad, <c>p -= lr_t * g / (sqrt(sum of g^2) + eps)</c> with <c>lr_t = lr / (1 + (t - 1) * lr_decay)</c> (Duchi, Hazan and Singer, 2011).
/// </summary>
internal sealed class AdagradOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, "sum_of_squares")
{
    private readonly double _rateDecay = settings.Extra["lr_decay"];

    /// <inheritdoc/>
    protected override bool TakesSparseRows => true;

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter) => full_like(parameter, Number.Of(Settings.Extra["initial_accumulator_value"]));

    /// <inheritdoc/>
    protected override void UpdateRows(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        if (group.WeightDecay != 0)
        {
            base.UpdateRows(group, slot, gradient); // decay moves every row
            return;
        }
        var (rows, values, sum) = (gradient.SparseIndices[0], gradient.SparseValues, slot.State[0]);
        sum.index_add_(0, rows, values.square(), Number.Of(1));
        slot.Value.index_add_(0, rows, values.div(sum.index_select(0, rows).sqrt_().add_(Number.Of(Settings.Epsilon))), Number.Of(-Rate(group, slot)));
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        var denominator = slot.State[0].addcmul_(g, g, Number.Of(1)).sqrt().add_(Number.Of(Settings.Epsilon));
        slot.Value.addcdiv_(g, denominator, Number.Of(-Rate(group, slot)));
    }

    private double Rate(GroupRates group, ParameterSlot slot) => group.LearningRate / (1 + ((slot.Steps - 1) * _rateDecay));
}

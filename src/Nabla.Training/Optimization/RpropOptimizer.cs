using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Resilient backpropagation: each entry has its own step size, which grows by eta_plus while its gradient keeps its sign and shrinks by
/// eta_minus when the sign changes (that step is left out); only signs of gradients are used (Riedmiller and Braun, 1993).
/// For whole batches: noise changes signs. The learning rate is the first step size; a schedule does not act on it.
/// </summary>
internal sealed class RpropOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, "previous_gradient", "step_size")
{
    private readonly double _minus = settings.Extra["eta_minus"], _plus = settings.Extra["eta_plus"];
    private readonly double _smallest = settings.Extra["step_min"], _largest = settings.Extra["step_max"];

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (previous, size) = (slot.State[0], slot.State[1]);
        if (slot.Steps == 1)
        {
            size.fill_(Number.Of(group.LearningRate));
        }
        var sign = gradient.mul(previous).sign_();
        var (isSame, isOther) = (sign.gt(Number.Of(0)), sign.lt(Number.Of(0)));
        var factor = ones_like(sign).masked_fill_(isSame, Number.Of(_plus)).masked_fill_(isOther, Number.Of(_minus));
        size.mul_(factor).clamp_(Number.Of(_smallest), Number.Of(_largest));
        var kept = gradient.masked_fill(isOther, Number.Of(0));
        slot.Value.addcmul_(kept.sign(), size, Number.Of(-1));
        previous.copy_(kept);
    }
}

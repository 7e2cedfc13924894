using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adan, Nesterov momentum with an estimate of the gradient's change: <c>d = g - g_previous</c>, moments m of g, v of d and n of
/// <c>(g + beta2 d)^2</c>; <c>p = (p - lr (m^ + beta2 v^) / (sqrt(n^) + eps)) / (1 + lr * decay)</c> (Xie et al., 2022, arXiv:2208.06677).
/// The betas are decay rates, as everywhere here; with decay_before 1 decay multiplies before the step, as in AdamW.
/// </summary>
internal sealed class AdanOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "difference_moment", "second_moment", "previous_gradient")
{
    private readonly double _beta2 = settings.Betas[1];
    private readonly double _beta3 = settings.Betas[2];
    private readonly bool _decaysBefore = settings.Is("decay_before");

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, m, v, n, previous) = (slot.Value, slot.State[0], slot.State[1], slot.State[2], slot.State[3]);
        var beta1 = Momentum!.Value;
        if (slot.Steps == 1)
        {
            previous.copy_(gradient); // the first difference is 0
        }
        var difference = gradient.sub(previous);
        previous.copy_(gradient);
        m.mul_(Number.Of(beta1)).add_(gradient, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).add_(difference, alpha: Number.Of(1 - _beta2));
        var ahead = gradient.add(difference, alpha: Number.Of(_beta2));
        n.mul_(Number.Of(_beta3)).addcmul_(ahead, ahead, Number.Of(1 - _beta3));
        double Correction(double beta) => 1 - Math.Pow(beta, slot.Steps);
        var root = n.div(Number.Of(Correction(_beta3))).sqrt_().add_(Number.Of(Settings.Epsilon));
        var step = m.div(Number.Of(Correction(beta1))).add_(v, alpha: Number.Of(_beta2 / Correction(_beta2))).div_(root);
        if (_decaysBefore)
        {
            p.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay))).sub_(step.mul_(Number.Of(group.LearningRate)));
        }
        else
        {
            p.sub_(step.mul_(Number.Of(group.LearningRate))).div_(Number.Of(1 + (group.LearningRate * group.WeightDecay)));
        }
    }
}

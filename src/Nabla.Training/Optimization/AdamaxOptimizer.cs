using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adamax, Adam with the decayed maximum of absolute gradients in place of the second moment,
/// <c>u = max(beta2 * u, |g| + eps); p -= lr / (1 - beta1^t) * m / u</c> (Kingma and Ba, 2015, section 7.1).
/// </summary>
internal sealed class AdamaxOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "infinity_norm")
{
    private readonly double _beta2 = settings.Betas[1];

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        var (m, u, beta1) = (slot.State[0], slot.State[1], Momentum!.Value);
        m.mul_(Number.Of(beta1)).add_(g, alpha: Number.Of(1 - beta1));
        u.copy_(u.mul_(Number.Of(_beta2)).maximum(g.abs().add_(Number.Of(Settings.Epsilon))));
        slot.Value.addcdiv_(m, u, Number.Of(-group.LearningRate / (1 - Math.Pow(beta1, slot.Steps))));
    }
}

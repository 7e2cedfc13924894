using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// RAdam, Adam whose step is rectified by the variance of its adaptive rate; while that variance is not defined (rho at most 5) it moves by the
/// corrected momentum alone (Liu et al., 2020, arXiv:1908.03265). Weight decay is L2 unless decoupled_weight_decay is on.
/// </summary>
internal sealed class RAdamOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "second_moment")
{
    private readonly double _beta2 = settings.Betas[1];
    private readonly bool _isDecoupled = settings.Is("decoupled_weight_decay");

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, m, v, beta1) = (slot.Value, slot.State[0], slot.State[1], Momentum!.Value);
        var g = gradient;
        if (_isDecoupled)
        {
            p.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay)));
        }
        else
        {
            g = WithPenalty(g, slot, group.WeightDecay);
        }
        m.mul_(Number.Of(beta1)).add_(g, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).addcmul_(g, g, Number.Of(1 - _beta2));
        var power = Math.Pow(_beta2, slot.Steps);
        var limit = (2 / (1 - _beta2)) - 1;
        var rho = limit - (2 * slot.Steps * power / (1 - power));
        var rate = group.LearningRate / (1 - Math.Pow(beta1, slot.Steps));
        if (rho > 5)
        {
            var rectification = Math.Sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho));
            p.addcdiv_(m, v.sqrt().add_(Number.Of(Settings.Epsilon)), Number.Of(-rate * rectification * Math.Sqrt(1 - power)));
        }
        else
        {
            p.add_(m, alpha: Number.Of(-rate));
        }
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// NAdam, Adam with Nesterov's look-ahead in the first moment (Dozat, 2016). The momentum warms up as
/// <c>mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))</c>; weight decay is L2 unless decoupled_weight_decay is on.
/// </summary>
/// <remarks>The running product of the momenta is kept in float32, as PyTorch does whatever the type of the parameter.</remarks>
internal sealed class NAdamOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "second_moment", MomentumProduct)
{
    private const string MomentumProduct = "momentum_product";
    private readonly double _beta2 = settings.Betas[1];
    private readonly double _momentumDecay = settings.Extra["momentum_decay"];
    private readonly bool _isDecoupled = settings.Is("decoupled_weight_decay");

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter)
        => role == MomentumProduct ? ones([], ScalarType.Float32) : base.NewState(role, parameter); // on the CPU: reading it never waits

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, m, v) = (slot.Value, slot.State[0], slot.State[1]);
        var g = gradient;
        if (_isDecoupled)
        {
            p.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay)));
        }
        else
        {
            g = WithPenalty(g, slot, group.WeightDecay);
        }
        var beta1 = Momentum!.Value;
        double Mu(long step) => beta1 * (1 - (0.5 * Math.Pow(0.96, step * _momentumDecay)));
        var (mu, next) = (Mu(slot.Steps), Mu(slot.Steps + 1));
        double product = slot.State[2].mul_(Number.Of(mu)).item<float>();
        m.mul_(Number.Of(beta1)).add_(g, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).addcmul_(g, g, Number.Of(1 - _beta2));
        var denominator = v.div(Number.Of(1 - Math.Pow(_beta2, slot.Steps))).sqrt_().add_(Number.Of(Settings.Epsilon));
        p.addcdiv_(g, denominator, Number.Of(-group.LearningRate * (1 - mu) / (1 - product)));
        p.addcdiv_(m, denominator, Number.Of(-group.LearningRate * next / (1 - (product * next))));
    }
}

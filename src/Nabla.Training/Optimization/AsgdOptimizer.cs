using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Averaged gradient descent: <c>p = p * (1 - lambda * eta) - eta * g</c> with <c>eta = lr / (1 + lambda * lr * t)^alpha</c>, and the mean of the
/// weights from step t0 on (Polyak and Juditsky, 1992). The mean is what should be evaluated; <see cref="Optimizer.CopyAverage"/> gives it.
/// </summary>
/// <remarks>Rate and share are kept in float32, as PyTorch does whatever the type of the parameter.</remarks>
internal sealed class AsgdOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, "average", Rate, Share)
{
    private const string Rate = "rate", Share = "share";
    private readonly double _lambda = settings.Extra["lambd"];
    private readonly double _alpha = settings.Extra["alpha"];
    private readonly double _start = settings.Extra["t0"];

    /// <inheritdoc/>
    public override bool HasAverage => true;

    /// <inheritdoc/>
    public override void CopyAverage(IReadOnlyDictionary<string, Tensor> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        using var noGradients = no_grad();
        foreach (var slot in AllSlots.Where(slot => slot.HasState && targets.ContainsKey(slot.Name)))
        {
            targets[slot.Name].copy_(slot.State[0]);
        }
    }

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter) => role switch
    {
        Rate => zeros([], ScalarType.Float32), // on the CPU: reading it never waits
        Share => ones([], ScalarType.Float32),
        _ => base.NewState(role, parameter),
    };

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, average, rate, share) = (slot.Value, slot.State[0], slot.State[1], slot.State[2]);
        if (slot.Steps == 1)
        {
            rate.fill_(Number.Of(group.LearningRate));
        }
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        double eta = rate.item<float>(), mu = share.item<float>();
        p.mul_(Number.Of(1 - (_lambda * eta))).add_(g, alpha: Number.Of(-eta));
        if (mu == 1)
        {
            average.copy_(p);
        }
        else
        {
            average.add_(p.sub(average).mul_(Number.Of(mu)));
        }
        rate.fill_(Number.Of(group.LearningRate / Math.Pow(1 + (_lambda * group.LearningRate * slot.Steps), _alpha)));
        share.fill_(Number.Of(1 / Math.Max(1, slot.Steps - _start)));
    }
}

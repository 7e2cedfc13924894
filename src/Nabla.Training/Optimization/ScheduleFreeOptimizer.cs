using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Schedule-Free AdamW: no schedule and no end of training to know. Gradients are taken at <c>y = (1 - beta1) z + beta1 x</c>, which is what the
/// parameters hold; z makes AdamW steps, x is the weighted mean of all z and is what should be evaluated
/// (<see cref="Optimizer.CopyAverage"/>). Source: Defazio et al. (2024), arXiv:2405.15682, in the form of the authors' package; decay acts at y.
/// </summary>
/// <remarks>It warms up by itself (warmup_steps); a schedule other than constant works against it.</remarks>
internal sealed class ScheduleFreeOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "z", "second_moment")
{
    private readonly SharedState _shared = new("step", "weight_sum", "largest_rate");
    private readonly double _beta2 = settings.Betas[1];
    private readonly double _warmup = settings.Extra["warmup_steps"], _r = settings.Extra["r"], _power = settings.Extra["weight_lr_power"];
    private double _share, _warm;

    /// <inheritdoc/>
    public override bool HasAverage => true;

    /// <inheritdoc/>
    protected override SharedState? Shared => _shared;

    /// <inheritdoc/>
    public override void CopyAverage(IReadOnlyDictionary<string, Tensor> targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var slot in AllSlots.Where(slot => slot.HasState && targets.ContainsKey(slot.Name)))
        {
            // y = (1 - beta1) z + beta1 x, solved for x
            targets[slot.Name].copy_(slot.Value.add(slot.State[0].sub(slot.Value), alpha: Number.Of(1 - (1 / Momentum!.Value))));
        }
    }

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter) => role == "z" ? parameter.detach().clone() : base.NewState(role, parameter);

    /// <inheritdoc/>
    protected override void OnStep()
    {
        var step = ++_shared.Values[0];
        _warm = _warmup > 0 ? Math.Min(1, step / _warmup) : 1;
        _shared.Values[2] = Math.Max(_shared.Values[2], LearningRate * _warm);
        var weight = Math.Pow(step, _r) * Math.Pow(_shared.Values[2], _power);
        _shared.Values[1] += weight;
        _share = _shared.Values[1] > 0 ? weight / _shared.Values[1] : 0;
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (y, z, v, rate) = (slot.Value, slot.State[0], slot.State[1], group.LearningRate * _warm);
        v.mul_(Number.Of(_beta2)).addcmul_(gradient, gradient, Number.Of(1 - _beta2));
        // The count is the optimiser's, as in the package: parameters without a gradient age too.
        var g = gradient.div(v.div(Number.Of(1 - Math.Pow(_beta2, _shared.Values[0]))).sqrt_().add_(Number.Of(Settings.Epsilon)));
        if (group.WeightDecay != 0)
        {
            g.add_(y, alpha: Number.Of(group.WeightDecay));
        }
        y.add_(z.sub(y), alpha: Number.Of(_share)).add_(g, alpha: Number.Of(rate * ((Momentum!.Value * (1 - _share)) - 1)));
        z.add_(g, alpha: Number.Of(-rate));
    }
}

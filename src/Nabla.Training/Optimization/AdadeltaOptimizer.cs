using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adadelta, <c>d = g * sqrt(mean of d^2 + eps) / sqrt(mean of g^2 + eps); p -= lr * d</c> (Zeiler, 2012, arXiv:1212.5701).
/// Its usual learning rate is 1.
/// </summary>
internal sealed class AdadeltaOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, "second_moment", "update_moment")
{
    private readonly double _rho = settings.Extra["rho"];

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        var (square, moved) = (slot.State[0], slot.State[1]);
        var root = square.mul_(Number.Of(_rho)).addcmul_(g, g, Number.Of(1 - _rho)).add(Number.Of(Settings.Epsilon)).sqrt_();
        var delta = moved.add(Number.Of(Settings.Epsilon)).sqrt_().div_(root).mul_(g);
        moved.mul_(Number.Of(_rho)).addcmul_(delta, delta, Number.Of(1 - _rho));
        slot.Value.add_(delta, alpha: Number.Of(-group.LearningRate));
    }
}

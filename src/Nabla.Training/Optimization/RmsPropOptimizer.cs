using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// RMSprop, <c>p -= lr * g / (sqrt(mean of g^2) + eps)</c> (Hinton, 2012, lecture 6e), with momentum on the quotient and, centred, the variance
/// of the gradient instead of its second moment (Graves, 2013, arXiv:1308.0850). As in PyTorch epsilon stands outside the root.
/// </summary>
internal sealed class RmsPropOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Momentum > 0 ? settings.Momentum : null, Roles(settings))
{
    private readonly double _alpha = settings.Extra["alpha"];
    private readonly bool _isCentered = settings.Is("centered");

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        var square = slot.State[0].mul_(Number.Of(_alpha)).addcmul_(g, g, Number.Of(1 - _alpha));
        var variance = square;
        if (_isCentered)
        {
            var mean = slot.State[1].mul_(Number.Of(_alpha)).add_(g, alpha: Number.Of(1 - _alpha));
            variance = square.addcmul(mean, mean, Number.Of(-1));
        }
        var denominator = variance.sqrt().add_(Number.Of(Settings.Epsilon));
        if (Momentum is { } momentum)
        {
            slot.Value.add_(slot.State[^1].mul_(Number.Of(momentum)).addcdiv_(g, denominator), alpha: Number.Of(-group.LearningRate));
        }
        else
        {
            slot.Value.addcdiv_(g, denominator, Number.Of(-group.LearningRate));
        }
    }

    private static string[] Roles(OptimizerSettings settings)
    {
        List<string> roles = ["second_moment"];
        if (settings.Is("centered"))
        {
            roles.Add("first_moment");
        }
        if (settings.Momentum > 0)
        {
            roles.Add("momentum");
        }
        return [.. roles];
    }
}

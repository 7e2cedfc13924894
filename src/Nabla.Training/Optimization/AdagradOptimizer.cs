namespace Nabla.Training;

/// <summary>
/// Adagrad, <c>p -= lr_t * g / (sqrt(sum of g^2) + eps)</c> with <c>lr_t = lr / (1 + (t - 1) * lr_decay)</c> (Duchi, Hazan and Singer, 2011).
/// </summary>
internal sealed class AdagradOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, "sum_of_squares")
{
    private readonly double _rateDecay = settings.Extra["lr_decay"];

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter) => full_like(parameter, Settings.Extra["initial_accumulator_value"]);

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var g = WithPenalty(gradient, slot, group.WeightDecay);
        var denominator = slot.State[0].addcmul_(g, g, 1).sqrt().add_(Settings.Epsilon);
        slot.Value.addcdiv_(g, denominator, -group.LearningRate / (1 + ((slot.Steps - 1) * _rateDecay)));
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Lion, <c>p -= lr * (sign(beta1 * m + (1 - beta1) * g) + decay * p); m = beta2 * m + (1 - beta2) * g</c> (Chen et al., 2023, arXiv:2302.06675).
/// Its usual rate is 3 to 10 times smaller than AdamW's, its decay as much larger.
/// </summary>
internal sealed class LionOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment")
{
    private readonly double _beta2 = settings.Betas[1];
    private readonly UpdateLists _lists = new();
    private readonly VectorLists _vectors = new();

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        var (rate, keep) = (group.LearningRate, 1 - (group.LearningRate * group.WeightDecay));
        foreach (var (_, kind, same) in UpdateLists.Alike(updates, _ => 0))
        {
            if (Settings.Kernels == KernelChoice.Fastest && _vectors.TryFill(kind, same, 1))
            {
                if (kind.Type == ScalarType.Float32)
                {
                    LionKernel.Step<float>(_vectors, Momentum!.Value, _beta2, rate, keep);
                }
                else
                {
                    LionKernel.Step<double>(_vectors, Momentum!.Value, _beta2, rate, keep);
                }
            }
            else if ((Settings.Kernels == KernelChoice.Lists || kind.Device != DeviceType.CPU) && Settings.UsesLists(kind, same)) // on the CPU lists are slower than the plain loop
            {
                var (parameters, gradients, states) = _lists.Fill(same, 1);
                FusedKernels.Invoke("lion", parameters, gradients, states[0], Momentum!.Value, _beta2, rate, keep);
            }
            else
            {
                base.UpdateGroup(group, same);
            }
        }
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, m, beta1) = (slot.Value, slot.State[0], Momentum!.Value);
        var direction = m.mul(Number.Of(beta1)).add_(gradient, alpha: Number.Of(1 - beta1)).sign_();
        p.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay))).add_(direction, alpha: Number.Of(-group.LearningRate));
        m.mul_(Number.Of(_beta2)).add_(gradient, alpha: Number.Of(1 - _beta2));
    }
}

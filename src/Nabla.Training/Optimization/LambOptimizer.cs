using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// LAMB, Adam's step with decay, scaled for each parameter to the parameter's own norm:
/// <c>r = m^ / (sqrt(v^) + eps) + decay * p; p -= lr * |p| / |r| * r</c>, ratio 1 where either norm is 0 (You et al., 2020, arXiv:1904.00962).
/// Unlike some packages it does not clamp the norm; bias_correction 0 leaves the moments uncorrected.
/// </summary>
internal sealed class LambOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Betas[0], "first_moment", "second_moment")
{
    private readonly double _beta2 = settings.Betas[1];
    private readonly bool _isCorrected = settings.Is("bias_correction");
    private readonly UpdateLists _lists = new();
    private readonly VectorLists _vectors = new();

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var (steps, kind, same) in UpdateLists.Alike(updates, slot => slot.Steps))
        {
            var beta1 = Momentum!.Value;
            var (first, second) = Corrections(beta1, steps);
            var numbers = new LambNumbers(beta1, _beta2, first, second, Settings.Epsilon, group.LearningRate, group.WeightDecay);
            if (Settings.Kernels == KernelChoice.Fastest && _vectors.TryFill(kind, same, 2))
            {
                if (kind.Type == ScalarType.Float32)
                {
                    LambKernel.Step<float>(_vectors, numbers);
                }
                else
                {
                    LambKernel.Step<double>(_vectors, numbers);
                }
            }
            else if ((Settings.Kernels == KernelChoice.Lists || kind.Device != DeviceType.CPU) && Settings.UsesLists(kind, same)) // on the CPU lists are slower than the plain loop
            {
                var (parameters, gradients, states) = _lists.Fill(same, 2);
                FusedKernels.Invoke("lamb", parameters, gradients, states[0], states[1], beta1, _beta2, first, second, Settings.Epsilon, group.LearningRate, group.WeightDecay);
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
        var (p, m, v, beta1) = (slot.Value, slot.State[0], slot.State[1], Momentum!.Value);
        m.mul_(Number.Of(beta1)).add_(gradient, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).addcmul_(gradient, gradient, Number.Of(1 - _beta2));
        var (first, second) = Corrections(beta1, slot.Steps);
        var r = m.div(Number.Of(first)).div_(v.div(Number.Of(second)).sqrt_().add_(Number.Of(Settings.Epsilon)));
        r.add_(p, alpha: Number.Of(group.WeightDecay));
        var (length, stepLength) = (linalg.vector_norm(p), linalg.vector_norm(r));
        var ratio = where(length.gt(Number.Of(0)).logical_and(stepLength.gt(Number.Of(0))), length / stepLength, ones_like(length)); // stays on the device
        p.sub_(r.mul_(ratio).mul_(Number.Of(group.LearningRate)));
    }

    private (double First, double Second) Corrections(double beta1, long steps)
        => _isCorrected ? (1 - Math.Pow(beta1, steps), 1 - Math.Pow(_beta2, steps)) : (1, 1);
}

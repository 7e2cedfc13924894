using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adam, <c>p -= lr * m^ / (sqrt(v^) + eps)</c> with bias-corrected moments of the gradient (Kingma and Ba, 2015, arXiv:1412.6980), and AdamW,
/// which takes weight decay out of the moments, <c>p *= 1 - lr * decay</c> first (Loshchilov and Hutter, 2019, arXiv:1711.05101).
/// With amsgrad the largest second moment so far is used (Reddi et al., 2018); as in PyTorch the maximum is of the uncorrected moment.
/// </summary>
internal sealed class AdamOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups, bool isDecoupled)
    : GroupedOptimizer(settings, groups, settings.Betas[0], settings.Is("amsgrad") ? ["first_moment", "second_moment", "largest_second_moment"] : ["first_moment", "second_moment"])
{
    private static readonly Tensor[] NoTensors = [];
    private readonly UpdateLists _lists = new();
    private readonly bool _amsgrad = settings.Is("amsgrad");
    private readonly bool _maximize = settings.Is("maximize");
    private readonly double _beta2 = settings.Betas[1];

    /// <inheritdoc/>
    protected override VectorLists? CreateVectors() => Settings.Kernels == KernelChoice.Fastest ? new(AdamKernel.PieceSize) : null;

    /// <inheritdoc/>
    protected override void UpdateVectors(GroupRates group, VectorLists vectors)
        => AdamKernel.Step(vectors, group.LearningRate, group.WeightDecay, Momentum!.Value, _beta2, Settings.Epsilon, isDecoupled, _maximize);

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var (steps, kind, same) in UpdateLists.Alike(updates, slot => slot.Steps))
        {
            if (!Settings.UsesLists(kind, same))
            {
                base.UpdateGroup(group, same);
                continue;
            }
            var step = full([], Number.Of(steps), ScalarType.Float32, same[0].Slot.Value.device); // as the kernel wants it
            var (parameters, gradients, states) = _lists.Fill(same, _amsgrad ? 3 : 2);
            FusedKernels.Invoke(isDecoupled ? "adamw" : "adam", parameters, gradients, states[0], states[1], _amsgrad ? states[2] : NoTensors,
                _lists.Steps(step, same.Count), group.LearningRate, Momentum!.Value, _beta2, group.WeightDecay, Settings.Epsilon, _amsgrad, _maximize);
        }
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, m, v, beta1) = (slot.Value, slot.State[0], slot.State[1], Momentum!.Value);
        var g = _maximize ? gradient.neg() : gradient;
        if (isDecoupled)
        {
            p.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay)));
        }
        else
        {
            g = WithPenalty(g, slot, group.WeightDecay);
        }
        m.mul_(Number.Of(beta1)).add_(g, alpha: Number.Of(1 - beta1));
        v.mul_(Number.Of(_beta2)).addcmul_(g, g, Number.Of(1 - _beta2));
        var second = _amsgrad ? slot.State[2].copy_(slot.State[2].maximum(v)) : v;
        var correction = Math.Sqrt(1 - Math.Pow(_beta2, slot.Steps));
        var denominator = second.sqrt().div_(Number.Of(correction)).add_(Number.Of(Settings.Epsilon));
        p.addcdiv_(m, denominator, Number.Of(-group.LearningRate / (1 - Math.Pow(beta1, slot.Steps))));
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adafactor as fairseq and transformers have it, closest to the paper (Shazeer and Stern, 2018, arXiv:1804.04235): with relative_step the rate
/// is <c>min(lr, 1 / sqrt(t))</c>, where 0.01 is the paper's lr (warmup_init: <c>1e-6 t</c> in place of lr); with scale_parameter it is multiplied by the root mean square of the parameter. The second moment decays by <c>1 - t^decay_rate</c>;
/// beta1 above 0 adds a first moment. Weight decay acts with the scaled rate.
/// </summary>
internal sealed class TransformersAdafactorOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Extra["beta1"] > 0 ? settings.Extra["beta1"] : null, Roles(settings))
{
    private readonly double _clip = settings.Extra["clip_threshold"];
    private readonly double _power = settings.Extra["decay_rate"];
    private readonly double _smallestScale = settings.Extra["epsilon2"];
    private readonly bool _isScaled = settings.Is("scale_parameter"), _isRelative = settings.Is("relative_step"), _warmsUp = settings.Is("warmup_init");

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter)
    {
        var shape = parameter.Sizes();
        return role switch
        {
            AdafactorOptimizer.Rows => zeros(shape.Length > 1 ? shape[..^1] : [0], parameter.dtype, parameter.device),
            AdafactorOptimizer.Columns => zeros(shape.Length > 1 ? [.. shape[..^2], shape[^1]] : [0], parameter.dtype, parameter.device),
            AdafactorOptimizer.Whole when shape.Length > 1 => zeros([0], parameter.dtype, parameter.device),
            _ => zeros_like(parameter),
        };
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
    {
        var (p, step) = (slot.Value, (double)slot.Steps);
        var rate = _isRelative ? Math.Min(_warmsUp ? 1e-6 * step : group.LearningRate, 1 / Math.Sqrt(step)) : group.LearningRate;
        var scale = _isScaled ? RootMeanSquare(p).clamp_(min: Number.Of(_smallestScale)).mul_(Number.Of(rate)) : full([], Number.Of(rate), p.dtype, p.device); // [], stays on the device
        var beta2 = 1 - Math.Pow(step, _power);
        var update = gradient.square().add_(Number.Of(Settings.Epsilon));
        if (p.dim() > 1)
        {
            var (rows, columns) = (slot.State[0], slot.State[1]);
            rows.mul_(Number.Of(beta2)).add_(update.mean([-1]), alpha: Number.Of(1 - beta2));
            columns.mul_(Number.Of(beta2)).add_(update.mean([-2]), alpha: Number.Of(1 - beta2));
            update = rows.div(rows.mean([-1], keepdim: true)).rsqrt_().unsqueeze(-1).mul(columns.unsqueeze(-2).rsqrt()).mul_(gradient);
        }
        else
        {
            update = slot.State[2].mul_(Number.Of(beta2)).add_(update, alpha: Number.Of(1 - beta2)).rsqrt().mul_(gradient);
        }
        update.div_(RootMeanSquare(update).div_(Number.Of(_clip)).clamp_(min: Number.Of(1))).mul_(scale);
        if (Momentum is { } beta1)
        {
            update = slot.State[3].mul_(Number.Of(beta1)).add_(update, alpha: Number.Of(1 - beta1));
        }
        if (group.WeightDecay != 0)
        {
            p.sub_(p.mul(scale.mul(Number.Of(group.WeightDecay))));
        }
        p.sub_(update);
    }

    private static Tensor RootMeanSquare(Tensor tensor) => linalg.vector_norm(tensor).div_(Number.Of(Math.Sqrt(Math.Max(1, tensor.NumberOfElements))));

    private static string[] Roles(OptimizerSettings settings)
    {
        string[] roles = [AdafactorOptimizer.Rows, AdafactorOptimizer.Columns, AdafactorOptimizer.Whole];
        return settings.Extra["beta1"] > 0 ? [.. roles, "first_moment"] : roles;
    }
}

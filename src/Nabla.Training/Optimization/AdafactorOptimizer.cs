using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Adafactor as PyTorch has it: of a matrix only means over rows and over columns of g^2 are kept (memory m + n instead of m * n), the update is
/// clipped to root mean square d and scaled by the root mean square of the parameter; no momentum (Shazeer and Stern, 2018, arXiv:1804.04235).
/// The rate of step t is <c>min(lr, 1 / sqrt(t))</c>; decay is decoupled. Epsilon 0 stands for the machine epsilon of the parameter's type.
/// </summary>
internal sealed class AdafactorOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, momentum: null, Rows, Columns, Whole)
{
    internal const string Rows = "row_variance", Columns = "column_variance", Whole = "variance";
    private readonly double _clip = settings.Extra["d"];
    private readonly double _smallestScale = settings.Extra["epsilon2"];
    private readonly double _power = settings.Extra["beta2_decay"];

    /// <inheritdoc/>
    protected override Tensor NewState(string role, Parameter parameter) => Factored(role, parameter.Sizes()) is { } shape
        ? zeros(shape, parameter.dtype, parameter.device)
        : zeros_like(parameter);

    /// <summary>Shape of a role of state: one of the two means, or what is not used for this parameter, which is empty; null: the parameter's own.</summary>
    internal static long[]? Factored(string role, long[] shape) => (role, shape) switch
    {
        (Rows, [.. var outer, _, _]) => [.. outer, shape[^2], 1],
        (Columns, [.. var outer, _, _]) => [.. outer, 1, shape[^1]],
        (Whole, [_, _, ..]) => [0],
        (Whole, _) => null,
        _ => [0],
    };

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        foreach (var (_, kind, same) in UpdateLists.Alike(updates, _ => 0))
        {
            if (Settings.Kernels != KernelChoice.Plain && VectorLists.CanRead(kind) && kind.IsContiguous && UpdateLists.HaveOneLayout(same))
            {
                AdafactorKernel.Step(kind.Type, same, [.. same.Select(update => Constants(group, update.Slot))]);
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
        var (p, c) = (slot.Value, Constants(group, slot));
        var size = Math.Sqrt(Math.Max(1, p.NumberOfElements));
        var scale = (linalg.vector_norm(p) / Number.Of(size)).clamp(min: Number.Of(c.SmallestScale)) * Number.Of(c.Rate); // [], stays on the device
        if (group.WeightDecay != 0)
        {
            p.mul_(Number.Of(c.Keep));
        }
        Tensor variance;
        if (p.dim() > 1)
        {
            var (rows, columns) = (slot.State[0], slot.State[1]);
            rows.lerp_(gradient.square().mean([-1], keepdim: true), c.Share);
            columns.lerp_(gradient.square().mean([-2], keepdim: true), c.Share);
            variance = rows.mul(columns).div_(rows.mean([-2], keepdim: true).clamp_(min: Number.Of(c.Epsilon))); // [.., m, 1] [.., 1, n]
        }
        else
        {
            variance = slot.State[2].lerp_(gradient.square(), c.Share).clone();
        }
        var update = variance.clamp_(min: Number.Of(c.Epsilon * c.Epsilon)).rsqrt_().mul_(gradient);
        var excess = (linalg.vector_norm(update) / Number.Of(size * _clip)).clamp(min: Number.Of(1));
        p.sub_(update.mul_(scale / excess));
    }

    private AdafactorConstants Constants(GroupRates group, ParameterSlot slot) => new(
        Math.Min(group.LearningRate, 1 / Math.Sqrt(slot.Steps)),
        1 - (group.LearningRate * group.WeightDecay),
        Math.Pow(slot.Steps, _power),
        _smallestScale,
        Settings.Epsilon > 0 ? Settings.Epsilon : MachineEpsilon(slot.Value.dtype),
        _clip);

    private static double MachineEpsilon(ScalarType type) => type switch
    {
        ScalarType.Float64 => Math.ScaleB(1, -52),
        ScalarType.Float16 => Math.ScaleB(1, -10),
        ScalarType.BFloat16 => Math.ScaleB(1, -7),
        _ => Math.ScaleB(1, -23),
    };
}

/// <summary>The numbers of one parameter's step.</summary>
/// <param name="Rate">Relative rate of this step.</param>
/// <param name="Keep">What decay leaves of the parameter.</param>
/// <param name="Share">Share of the new squares in their means.</param>
/// <param name="SmallestScale">Least scale of the parameter.</param>
/// <param name="Epsilon">Least mean of the row means; its square is the least variance.</param>
/// <param name="Clip">Largest root mean square of the update.</param>
internal readonly record struct AdafactorConstants(double Rate, double Keep, double Share, double SmallestScale, double Epsilon, double Clip);

using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Muon: the averaged gradient of each matrix is replaced by its nearest orthogonal matrix, found by a few Newton-Schulz steps
/// <c>X = a X + (b S + c S S) X, S = X X'</c>; then <c>p = p (1 - lr decay) - lr s X</c> with <c>s = sqrt(max(1, rows / columns))</c>, or with
/// match_rms_adamw <c>0.2 sqrt(max(rows, columns))</c> (Jordan et al., 2024; Liu et al., 2025, arXiv:2502.16982). The momentum is an average, not a
/// sum. For matrices of hidden layers; an axis after the second is taken as part of the columns. All other parameters go to an AdamW beside it.
/// </summary>
/// <remarks>The steps run in bfloat16 as in PyTorch where the device multiplies it fast; elsewhere (bfloat16 0) in the parameter's type.</remarks>
internal sealed class MuonOptimizer(OptimizerSettings settings, IReadOnlyList<ParameterGroup> groups)
    : GroupedOptimizer(settings, groups, settings.Momentum, "momentum")
{
    /// <summary>Value of the option bfloat16 that asks the processor.</summary>
    internal const double Automatic = 2;

    private readonly double _a = settings.Extra["ns_a"], _b = settings.Extra["ns_b"], _c = settings.Extra["ns_c"];
    private readonly double _bfloat16 = settings.Extra["bfloat16"];
    private readonly int _steps = (int)settings.Extra["ns_steps"];
    private readonly bool _matchesAdam = settings.Is("match_rms_adamw");

    /// <inheritdoc/>
    protected override void UpdateGroup(GroupRates group, IReadOnlyList<ParameterUpdate> updates)
    {
        if (Settings.Kernels == KernelChoice.Plain)
        {
            base.UpdateGroup(group, updates);
            return;
        }
        // Matrices of one shape go through the products together: a few large ones instead of many small ones.
        foreach (var same in updates.GroupBy(update => (Shape(update.Slot.Value), update.Slot.Value.dtype, update.Slot.Value.device_type, update.Slot.Value.device_index)))
        {
            foreach (var batch in same.Chunk(BatchOf(same.Key.Item1)))
            {
                using var scope = NewDisposeScope();
                if (batch is [var single])
                {
                    UpdateParameter(group, single.Slot, single.Gradient);
                    continue;
                }
                var directions = Orthogonal(stack([.. batch.Select(update => Direction(update.Slot, update.Gradient))]));
                for (var i = 0; i < batch.Length; i++)
                {
                    Move(group, batch[i].Slot, directions[i]);
                }
            }
        }
    }

    /// <inheritdoc/>
    protected override void UpdateParameter(GroupRates group, ParameterSlot slot, Tensor gradient)
        => Move(group, slot, Orthogonal(Direction(slot, gradient)));

    /// <summary>How many matrices of a shape are stacked: small ones only, where starting a product costs as much as the product.</summary>
    private static int BatchOf((long Rows, long Columns) shape)
    {
        const long Enough = 1 << 20; // entries; beyond it a product of its own fills the machine, and the copies would cost
        return (int)Math.Clamp(Enough / Math.Max(1, shape.Rows * shape.Columns), 1, 64);
    }

    private static (long Rows, long Columns) Shape(Tensor matrix) => (matrix.Sizes()[0], matrix.NumberOfElements / Math.Max(1, matrix.Sizes()[0]));

    private Tensor Direction(ParameterSlot slot, Tensor gradient)
    {
        var (mu, buffer) = (Momentum!.Value, slot.State[0]);
        buffer.lerp_(gradient, 1 - mu);
        var (rows, columns) = Shape(slot.Value);
        return (Settings.Nesterov ? gradient.lerp(buffer, mu) : buffer).reshape(rows, columns);
    }

    /// <summary>Newton-Schulz steps over the last two axes.</summary>
    private Tensor Orthogonal(Tensor direction)
    {
        var isTall = direction.Sizes()[^2] > direction.Sizes()[^1];
        var x = UsesBFloat16(direction) ? direction.to(ScalarType.BFloat16) : direction;
        x = isTall ? x.transpose(-2, -1) : x;
        x = x.div(linalg.vector_norm(x, dims: [-2, -1], keepdim: true).clamp(min: Number.Of(Settings.Epsilon)));
        for (var step = 0; step < _steps; step++)
        {
            var s = Product(x, x.transpose(-2, -1)); // [.., m, m] with m at most n
            var polynomial = AddProduct(s, _b, s, s, _c);
            x = AddProduct(x, _a, polynomial, x, 1);
        }
        return isTall ? x.transpose(-2, -1) : x;
    }

    private static Tensor Product(Tensor left, Tensor right) => left.dim() == 2 ? left.mm(right) : left.bmm(right);

    /// <summary><c>beta * sum + alpha * left right</c>, in one operation where its float32 factors are exact enough.</summary>
    private static Tensor AddProduct(Tensor sum, double beta, Tensor left, Tensor right, double alpha) => (sum.dtype, sum.dim()) switch
    {
        (ScalarType.Float64, _) => sum.mul(Number.Of(beta)).add_(Product(left, right), alpha: Number.Of(alpha)),
        (_, 2) => sum.addmm(left, right, (float)beta, (float)alpha),
        _ => sum.baddbmm(left, right, (float)beta, (float)alpha),
    };

    private bool UsesBFloat16(Tensor tensor) => _bfloat16 == Automatic
        ? tensor.device_type == DeviceType.CUDA || ProcessorFeatures.Current.Avx512Bf16 || ProcessorFeatures.Current.AmxBf16
        : _bfloat16 != 0;

    private void Move(GroupRates group, ParameterSlot slot, Tensor direction)
    {
        var (rows, columns) = Shape(slot.Value);
        var scale = _matchesAdam ? 0.2 * Math.Sqrt(Math.Max(rows, columns)) : Math.Sqrt(Math.Max(1, (double)rows / columns));
        if (group.WeightDecay != 0)
        {
            slot.Value.mul_(Number.Of(1 - (group.LearningRate * group.WeightDecay)));
        }
        slot.Value.add_(direction.reshape(slot.Value.Sizes()).to(slot.Value.dtype), alpha: Number.Of(-group.LearningRate * scale));
    }
}

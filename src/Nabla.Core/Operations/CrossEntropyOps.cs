using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>Mean cross entropy of few classes and rows, in mixed precision, in one pass where libtorch takes six operations.</summary>
public static class CrossEntropyOps
{
    private const long MostLogits = 1 << 16, MostClasses = 1 << 10;

    /// <summary>Whether <see cref="Mean"/> is for these logits.</summary>
    /// <param name="logits"><c>[rows, classes]</c>.</param>
    /// <param name="targets">Class numbers, <c>[rows]</c>.</param>
    public static bool Supports(Tensor logits, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(logits);
        ArgumentNullException.ThrowIfNull(targets);
        return FusedOperations.AreEnabled && logits.device_type == DeviceType.CPU && logits.dtype == ScalarType.Float32 && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16
            && logits.dim() == 2 && logits.numel() is > 0 and <= MostLogits && logits.size(1) <= MostClasses
            && targets.dtype == ScalarType.Int64 && targets.device_type == DeviceType.CPU && targets.dim() == 1 && targets.numel() == logits.size(0);
    }

    /// <summary>Mean over rows of <c>-log softmax(logits)[target]</c>.</summary>
    /// <param name="logits"><c>[rows, classes]</c>, float32.</param>
    /// <param name="targets">Class numbers, <c>[rows]</c>, int64, each in range (<see cref="IdCheck"/>).</param>
    /// <param name="ignored">A target that counts nothing.</param>
    /// <returns><c>[]</c>; not a number when no row counts.</returns>
    public static Tensor Mean(Tensor logits, Tensor targets, long ignored)
    {
        ArgumentNullException.ThrowIfNull(logits);
        return CrossEntropyFunction.Apply(logits, targets, ignored);
    }
}

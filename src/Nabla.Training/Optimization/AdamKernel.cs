using System.Numerics;
using System.Runtime.InteropServices;

namespace Nabla.Training;

/// <summary>
/// The step of Adam and AdamW for small models on the CPU, in vectors on the calling thread: for these the call of an operation over lists of
/// tensors costs several times what it computes. Same formula and order of operations as libtorch's fused kernel.
/// </summary>
internal static class AdamKernel
{
    /// <summary>Entries from which libtorch's kernel, which shares the work among threads, is at least as fast.</summary>
    private const long MostEntries = 1 << 18;

    /// <summary>Whether the kernel is for these parameters: few entries, float32, dense, on the CPU.</summary>
    public static bool Fits(IReadOnlyList<ParameterUpdate> updates)
    {
        var entries = 0L;
        foreach (var update in updates)
        {
            if (!IsPlain(update.Slot.Value) || !IsPlain(update.Gradient))
            {
                return false;
            }
            entries += update.Slot.Value.numel();
        }
        return entries <= MostEntries;
    }

    /// <summary>Moves one parameter.</summary>
    /// <param name="update">The parameter with its state (first, second and perhaps largest second moment) and gradient.</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="decay">Weight decay.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="isDecoupled">AdamW's decay rather than Adam's.</param>
    /// <param name="maximize">Whether to go uphill.</param>
    public static void Step(ParameterUpdate update, double rate, double decay, double beta1, double beta2, double epsilon, bool isDecoupled, bool maximize)
    {
        var (slot, sign) = (update.Slot, maximize ? -1f : 1f);
        var p = Entries(slot.Value);
        var g = Entries(update.Gradient)[..p.Length];
        Span<float> m = Entries(slot.State[0])[..p.Length], v = Entries(slot.State[1])[..p.Length];
        var largest = slot.State.Length > 2 ? Entries(slot.State[2])[..p.Length] : default;
        var stepSize = (float)(rate / (1 - Math.Pow(beta1, slot.Steps)));
        var root = (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, slot.Steps)));
        var (keep, penalty) = (isDecoupled ? (float)(1 - (rate * decay)) : 1f, isDecoupled ? 0f : (float)decay);
        var (share1, b2, share2, eps) = ((float)(1 - beta1), (float)beta2, (float)(1 - beta2), (float)epsilon);
        ref float pAt = ref MemoryMarshal.GetReference(p), gAt = ref MemoryMarshal.GetReference(g), mAt = ref MemoryMarshal.GetReference(m);
        ref float vAt = ref MemoryMarshal.GetReference(v), largestAt = ref MemoryMarshal.GetReference(largest);
        var i = 0;
        for (; i <= p.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var at = (nuint)i;
            var value = Vector.LoadUnsafe(ref pAt, at);
            var gradient = (Vector.LoadUnsafe(ref gAt, at) * sign) + (value * penalty);
            value *= keep;
            var first = Vector.LoadUnsafe(ref mAt, at);
            first += (gradient - first) * share1;
            var second = (Vector.LoadUnsafe(ref vAt, at) * b2) + (gradient * gradient * share2);
            first.StoreUnsafe(ref mAt, at);
            second.StoreUnsafe(ref vAt, at);
            if (!largest.IsEmpty)
            {
                second = Vector.Max(second, Vector.LoadUnsafe(ref largestAt, at));
                second.StoreUnsafe(ref largestAt, at);
            }
            (value - (first * stepSize / ((Vector.SquareRoot(second) * root) + new Vector<float>(eps)))).StoreUnsafe(ref pAt, at);
        }
        for (; i < p.Length; i++)
        {
            var gradient = (g[i] * sign) + (p[i] * penalty);
            m[i] += (gradient - m[i]) * share1;
            v[i] = (v[i] * b2) + (gradient * gradient * share2);
            var second = v[i];
            if (!largest.IsEmpty)
            {
                second = largest[i] = Math.Max(second, largest[i]);
            }
            p[i] = (p[i] * keep) - (m[i] * stepSize / ((MathF.Sqrt(second) * root) + eps));
        }
    }

    private static bool IsPlain(Tensor tensor)
        => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && !tensor.is_sparse && tensor.numel() > 0 && tensor.is_contiguous();

    private static Span<float> Entries(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}

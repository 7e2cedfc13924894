using System.Numerics;
using System.Runtime.InteropServices;
using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>
/// Dropout whose random numbers come from a counter, eight or more at once, instead of libtorch's serial generator (about ten
/// times faster on the CPU). The counter's key is drawn from torch's CPU generator, so <c>torch.manual_seed</c> fixes the masks,
/// whatever the number of threads. Source: Srivastava et al. (2014); hash: lowbias32 of Wellons (2018), keyed twice.
/// </summary>
public static class FastDropout
{
    // Smaller masks are not worth starting other threads for.
    private const int ChunkSize = 1 << 17;

    /// <summary>Sets entries to 0 with chance <paramref name="probability"/> and divides the others by <c>1 - probability</c>.</summary>
    /// <param name="x">Any shape.</param>
    /// <param name="probability">Chance of dropping, in [0, 1].</param>
    /// <param name="isTraining">Whether dropout is on; off, the result is <paramref name="x"/> under a new handle.</param>
    /// <returns>A new tensor of the shape and type of <paramref name="x"/>.</returns>
    public static Tensor Apply(Tensor x, double probability, bool isTraining = true)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!isTraining || probability == 0)
        {
            return x.alias();
        }
        if (probability is < 0 or > 1)
        {
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "Dropout needs a probability in [0, 1].");
        }
        if (probability == 1 || !CanFill(x))
        {
            return nn.functional.dropout(x, probability, true);
        }
        using var mask = Mask(x.Sizes(), x.dtype, probability);
        return x.mul(mask);
    }

    /// <summary>A mask of zeros and <c>1 / (1 - probability)</c> on the CPU.</summary>
    /// <param name="shape">Its shape.</param>
    /// <param name="type">Float32, Float64 or BFloat16.</param>
    /// <param name="probability">Chance of a zero, in [0, 1).</param>
    internal static Tensor Mask(ReadOnlySpan<long> shape, ScalarType type, double probability)
    {
        var keyed = new KeyedMask(KeyedMask.DrawKey(), probability);
        var mask = torch.empty(shape, type);
        switch (type)
        {
            case ScalarType.Float32:
                FillAll<float>(mask, (span, from) => Fill(span, from, keyed));
                break;
            case ScalarType.BFloat16:
                FillAll<ushort>(mask, (span, from) => Fill(span, from, keyed, VectorRow.ToBFloat16(keyed.Keep)));
                break;
            default:
                FillAll<double>(mask, (span, from) => Fill(span, from, keyed, 1 / (1 - probability)));
                break;
        }
        return mask;
    }

    private delegate void Filler<T>(Span<T> values, uint from);

    private static bool CanFill(Tensor x) => x.device_type == DeviceType.CPU
        && x.dtype is ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16
        && x.numel() is > 0 and < int.MaxValue / sizeof(double);

    private static unsafe void FillAll<T>(Tensor mask, Filler<T> fill)
        where T : unmanaged
    {
        var all = MemoryMarshal.Cast<byte, T>(mask.bytes);
        if (all.Length < 2 * ChunkSize || torch.get_num_threads() == 1)
        {
            fill(all, 0);
            return;
        }
        fixed (T* start = all) // native memory: it does not move, and the mask outlives the loop
        {
            var (first, length) = ((nint)start, all.Length);
            KernelTeam.Run((length + ChunkSize - 1) / ChunkSize, chunk =>
            {
                var from = chunk * ChunkSize;
                fill(new Span<T>((T*)first + from, Math.Min(ChunkSize, length - from)), (uint)from);
            });
        }
    }

    private static void Fill(Span<float> values, uint from, KeyedMask keyed)
    {
        var (width, i) = (Vector<uint>.Count, 0);
        var keeps = new Vector<float>(keyed.Keep);
        ref var start = ref MemoryMarshal.GetReference(values);
        for (; i <= values.Length - width; i += width)
        {
            Vector.ConditionalSelect(Vector.AsVectorSingle(keyed.Kept(from + (uint)i)), keeps, Vector<float>.Zero).StoreUnsafe(ref start, (nuint)i);
        }
        for (; i < values.Length; i++)
        {
            values[i] = keyed.IsKept(from + (uint)i) ? keyed.Keep : 0;
        }
    }

    private static void Fill(Span<ushort> values, uint from, KeyedMask keyed, ushort keep)
    {
        var (width, i) = (Vector<uint>.Count, 0);
        var keeps = new Vector<uint>(keep);
        ref var start = ref MemoryMarshal.GetReference(values);
        for (; i <= values.Length - (2 * width); i += 2 * width)
        {
            var low = Vector.BitwiseAnd(keyed.Kept(from + (uint)i), keeps);
            var high = Vector.BitwiseAnd(keyed.Kept(from + (uint)(i + width)), keeps);
            Vector.Narrow(low, high).StoreUnsafe(ref start, (nuint)i);
        }
        for (; i < values.Length; i++)
        {
            values[i] = keyed.IsKept(from + (uint)i) ? keep : (ushort)0;
        }
    }

    private static void Fill(Span<double> values, uint from, KeyedMask keyed, double keep)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = keyed.IsKept(from + (uint)i) ? keep : 0;
        }
    }
}

using System.Diagnostics;

namespace Nabla.Core.Kernels;

/// <summary>Reaches the memory of dense CPU tensors. Whoever takes a span keeps the tensor alive for as long.</summary>
internal static unsafe class TensorMemory
{
    /// <summary>Whether kernels can work on it in place: dense, on the CPU, and not too large for a span.</summary>
    public static bool Fits(Tensor x) => DenseMemory.CountOnCpu(x) is > 0 and < int.MaxValue / sizeof(double);

    /// <summary>Where a contiguous tensor begins.</summary>
    public static nint Address(Tensor contiguous)
    {
        Debug.Assert(contiguous.is_contiguous(), "Take StridedAddress for other tensors.");
        return DenseMemory.Start(contiguous);
    }

    /// <summary>Where a tensor of any strides has its first entry.</summary>
    public static nint StridedAddress(Tensor x) => DenseMemory.Start(x);

    /// <summary>Entries of a tensor.</summary>
    /// <param name="address">From <see cref="Address"/>.</param>
    /// <param name="start">First entry.</param>
    /// <param name="length">How many.</param>
    public static Span<T> Row<T>(nint address, long start, int length) where T : unmanaged => new((T*)address + start, length);
}

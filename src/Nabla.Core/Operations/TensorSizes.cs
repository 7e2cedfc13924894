using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Sizes of tensors. TorchSharp's <c>shape</c> makes a delegate and a native thunk for each call, a microsecond and more, and the collector takes
/// milliseconds to be rid of some thousands of them.
/// </summary>
public static unsafe class TensorSizes
{
    private static readonly Lazy<Exports> Native = new(() => new(NativeBootstrap.Loaded.Shim), LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Size of each axis: the same as <c>shape</c>.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <returns>A new array, empty for a scalar.</returns>
    /// <exception cref="InvalidOperationException">The tensor has been disposed.</exception>
    public static long[] Sizes(this Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var (native, handle) = (Native.Value, tensor.Handle);
        var sizes = new long[native.Axes(handle)];
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            sizes[axis] = native.Size(handle, axis);
        }
        GC.KeepAlive(tensor);
        return sizes;
    }

    /// <summary>Functions of TorchSharp's library that only read a field, so they need no transition of the collector's mode.</summary>
    private sealed class Exports(nint shim)
    {
        private readonly nint _axes = NativeLibrary.GetExport(shim, "THSTensor_ndimension"), _size = NativeLibrary.GetExport(shim, "THSTensor_size");

        public long Axes(nint tensor) => ((delegate* unmanaged[SuppressGCTransition]<nint, long>)_axes)(tensor);

        public long Size(nint tensor, long axis) => ((delegate* unmanaged[SuppressGCTransition]<nint, long, long>)_size)(tensor, axis);
    }
}

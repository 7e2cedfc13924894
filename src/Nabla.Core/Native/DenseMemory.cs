using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>
/// Where the entries of dense tensors on the CPU lie, for kernels over many of them. Asked through TorchSharp a tensor costs a microsecond
/// and a gradient leaves an object for the collector; here it is some ten nanoseconds and nothing.
/// </summary>
public static unsafe class DenseMemory
{
    private static readonly Lazy<Exports> Native = new(() => new(NativeBootstrap.Loaded.Shim), LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Finds the entries of a tensor.</summary>
    /// <param name="tensor">The tensor; it must be alive, and keep its memory, while the address is used.</param>
    /// <param name="type">The type it must have.</param>
    /// <param name="address">Where the first entry is; 0 where there is none.</param>
    /// <param name="count">How many entries there are.</param>
    /// <returns>Whether it is dense, contiguous, on the CPU and of that type.</returns>
    public static bool TryFind(Tensor tensor, ScalarType type, out nint address, out long count)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        var isDense = TryFind(Native.Value, tensor.Handle, type, out address, out count);
        GC.KeepAlive(tensor);
        return isDense;
    }

    /// <summary>Finds the entries of a parameter's gradient, which it keeps alive until it gets another one.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="type">The type that the gradient must have.</param>
    /// <param name="address">Where the first entry is; 0 where there is none.</param>
    /// <param name="count">How many entries there are.</param>
    /// <returns>Whether there is a gradient and whether it is dense, contiguous, on the CPU and of that type.</returns>
    public static GradientForm FindGradient(Tensor parameter, ScalarType type, out nint address, out long count)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        var native = Native.Value;
        var gradient = native.Gradient(parameter.Handle);
        GC.KeepAlive(parameter);
        if (gradient == 0)
        {
            (address, count) = (0, 0);
            return GradientForm.None;
        }
        var isDense = TryFind(native, gradient, type, out address, out count);
        native.Dispose(gradient); // our reference to it; the parameter has its own
        return isDense ? GradientForm.Dense : GradientForm.Other;
    }

    /// <summary>Where a CPU tensor has its first entry, whatever its strides.</summary>
    /// <param name="tensor">As for <see cref="TryFind(Tensor, ScalarType, out nint, out long)"/>.</param>
    internal static nint Start(Tensor tensor)
    {
        var address = Native.Value.Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return address;
    }

    /// <summary>How many entries a tensor has; -1 where it is sparse or on another device.</summary>
    /// <param name="tensor">As for <see cref="TryFind(Tensor, ScalarType, out nint, out long)"/>.</param>
    internal static long CountOnCpu(Tensor tensor)
    {
        var native = Native.Value;
        var handle = tensor.Handle;
        var count = native.DeviceType(handle) == DeviceType.CPU && !native.IsSparse(handle) ? native.Count(handle) : -1;
        GC.KeepAlive(tensor);
        return count;
    }

    private static bool TryFind(Exports native, nint handle, ScalarType type, out nint address, out long count)
    {
        (address, count) = (0, 0);
        if (native.Type(handle) != type || native.DeviceType(handle) != DeviceType.CPU || native.IsSparse(handle) || !native.IsContiguous(handle))
        {
            return false;
        }
        count = native.Count(handle);
        address = count == 0 ? 0 : native.Data(handle);
        return count == 0 || address != 0;
    }

    /// <summary>Functions of TorchSharp's library that only read a field or two, so they need no transition of the collector's mode.</summary>
    private sealed class Exports(nint shim)
    {
        private readonly nint _type = NativeLibrary.GetExport(shim, "THSTensor_type"), _device = NativeLibrary.GetExport(shim, "THSTensor_device_type");
        private readonly nint _isSparse = NativeLibrary.GetExport(shim, "THSTensor_is_sparse"), _isContiguous = NativeLibrary.GetExport(shim, "THSTensor_is_contiguous");
        private readonly nint _count = NativeLibrary.GetExport(shim, "THSTensor_numel"), _data = NativeLibrary.GetExport(shim, "THSTensor_data");
        private readonly nint _gradient = NativeLibrary.GetExport(shim, "THSTensor_grad"), _dispose = NativeLibrary.GetExport(shim, "THSTensor_dispose");

        public ScalarType Type(nint tensor) => (ScalarType)((delegate* unmanaged[SuppressGCTransition]<nint, sbyte>)_type)(tensor);

        public DeviceType DeviceType(nint tensor) => (DeviceType)((delegate* unmanaged[SuppressGCTransition]<nint, int>)_device)(tensor);

        public bool IsSparse(nint tensor) => ((delegate* unmanaged[SuppressGCTransition]<nint, byte>)_isSparse)(tensor) != 0;

        public bool IsContiguous(nint tensor) => ((delegate* unmanaged[SuppressGCTransition]<nint, byte>)_isContiguous)(tensor) != 0;

        public long Count(nint tensor) => ((delegate* unmanaged[SuppressGCTransition]<nint, long>)_count)(tensor);

        public nint Data(nint tensor) => ((delegate* unmanaged[SuppressGCTransition]<nint, nint>)_data)(tensor);

        public nint Gradient(nint tensor) => ((delegate* unmanaged<nint, nint>)_gradient)(tensor);

        public void Dispose(nint tensor) => ((delegate* unmanaged<nint, void>)_dispose)(tensor);
    }
}

/// <summary>What a parameter's gradient is like.</summary>
public enum GradientForm
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>Dense, contiguous, on the CPU and of the type that was asked for.</summary>
    Dense,

    /// <summary>Anything else.</summary>
    Other,
}

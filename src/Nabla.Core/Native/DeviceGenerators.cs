using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// The default random generators of devices. TorchSharp knows only the CPU's; libtorch exports functions that give the address of any
/// device's, in the form that TorchSharp's own generator calls take.
/// </summary>
internal static unsafe class DeviceGenerators
{
    private const string CpuExport = "_ZN2at6detail22getDefaultCPUGeneratorEv", CudaExport = "_ZN2at4cuda6detail23getDefaultCUDAGeneratorEa";
    private static readonly Lazy<nint> Cuda = new(FindCuda, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>The default generator of a device. libtorch owns it: never dispose it.</summary>
    /// <param name="device">A device that is there.</param>
    /// <exception cref="NativeLibraryException">This libtorch does not export the call.</exception>
    public static Generator Default(Device device)
    {
        if (device.type == DeviceType.CPU)
        {
            return Generator.Default;
        }
        if (device.type != DeviceType.CUDA || Cuda.Value == 0)
        {
            throw new NativeLibraryException($"The random state of {device} cannot be read: this libtorch does not export {CudaExport}. Turn recompute off, or use the libtorch of a PyTorch install with CUDA.");
        }
        return Borrow(((delegate* unmanaged<sbyte, nint>)Cuda.Value)((sbyte)device.index)); // -1 is the current device, as in libtorch
    }

    /// <summary>The CPU's generator by the way that GPUs' are found, so that it is tested on every machine; null where it is not exported.</summary>
    internal static Generator? CpuByExport() => NativeLibrary.TryGetExport(NativeBootstrap.Loaded.Torch, CpuExport, out var function)
        ? Borrow(((delegate* unmanaged<nint>)function)())
        : null;

    private static Generator Borrow(nint address)
    {
        var generator = Wrap(address);
#pragma warning disable CA1816 // Its finaliser would free what libtorch owns.
        GC.SuppressFinalize(generator);
#pragma warning restore CA1816
        return generator;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern Generator Wrap(nint handle); // TorchSharp's own constructor, which it keeps to itself

    private static nint FindCuda()
        => NativeLibrary.TryLoad(Path.Combine(NativeBootstrap.Loaded.Folder, LibTorchLocation.FileName("torch_cuda")), out var library)
            && NativeLibrary.TryGetExport(library, CudaExport, out var function)
            ? function
            : 0;
}

using System.Runtime.InteropServices;

namespace Nabla.Core;

/// <summary>Memory of a device, in bytes.</summary>
/// <param name="Free">Free now, for all programs together.</param>
/// <param name="Total">The device has.</param>
public readonly record struct DeviceMemory(long Free, long Total)
{
    private const int Success = 0;

    /// <summary>In use now, by all programs together; libtorch keeps what it has freed for the next tensor, and that counts as in use.</summary>
    public long Used => Total - Free;

    /// <summary>
    /// Asks the driver for the memory of a CUDA device that this thread has computed on. Null on other devices, and where the driver
    /// does not answer.
    /// </summary>
    /// <param name="device">The device.</param>
    public static DeviceMemory? Query(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (device.type != DeviceType.CUDA || GetInfo.Value == 0)
        {
            return null;
        }
        using var one = torch.zeros(1, device: device); // makes the device's context the current one of this thread
        return MemoryInfo(out var free, out var total) == Success ? new((long)free, (long)total) : null;
    }

    // The driver's library belongs to the system, not to libtorch; its name and this function are stable (CUDA Driver API, cuMemGetInfo).
    private static readonly Lazy<nint> GetInfo = new(() =>
        NativeLibrary.TryLoad(OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1", out var library) && NativeLibrary.TryGetExport(library, "cuMemGetInfo_v2", out var function) ? function : 0);

    private static unsafe int MemoryInfo(out nuint free, out nuint total)
    {
        nuint freeBytes = 0, totalBytes = 0;
        var status = ((delegate* unmanaged<nuint*, nuint*, int>)GetInfo.Value)(&freeBytes, &totalBytes);
        (free, total) = (freeBytes, totalBytes);
        return status;
    }
}

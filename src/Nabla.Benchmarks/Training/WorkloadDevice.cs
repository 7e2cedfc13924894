namespace Nabla.Benchmarks;

/// <summary>The device on which the calling thread makes workloads: what a workload is does not depend on where it runs.</summary>
internal static class WorkloadDevice
{
    [ThreadStatic]
    private static Device? s_current;

    /// <summary>The device; the CPU unless <see cref="Use"/> says otherwise.</summary>
    public static Device Current => s_current ?? CPU;

    /// <summary>Makes a device the current one until the result is disposed.</summary>
    public static IDisposable Use(Device device)
    {
        var before = s_current;
        s_current = device;
        return new Restore(before);
    }

    /// <summary>Waits until the device has done what it was given; the CPU always has.</summary>
    public static void Synchronize()
    {
        if (Current.type == DeviceType.CUDA)
        {
            cuda.synchronize(Current);
        }
    }

    private sealed class Restore(Device? before) : IDisposable
    {
        public void Dispose() => s_current = before;
    }
}

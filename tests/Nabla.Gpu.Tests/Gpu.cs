[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Nabla.Gpu.Tests;

/// <summary>The GPU of these tests.</summary>
internal static class Gpu
{
    [System.Runtime.CompilerServices.ModuleInitializer]
    internal static void EndAsTheProgramDoes() => NablaRuntime.EndWithoutNativeDestructors();

    /// <summary>The first CUDA device; skips the test where there is none.</summary>
    public static Device Require()
    {
        Assert.SkipWhen(Devices.CudaCount() == 0, "There is no CUDA device; eng/gpu-check runs these tests on a machine that has one.");
        return CUDA;
    }
}

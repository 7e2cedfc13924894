using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Sets what native libraries read from the environment when they load: the way to the same bits, and how long native worker threads spin at a barrier before they sleep. GNU OpenMP's default is practically for ever, so on a machine
/// that does anything else beside training, threads burn the time that the one they wait for would need: measured on two busy cores,
/// 675 pictures a second became 1,080, and nothing was lost on idle ones. MKL gives the same bits for matrices wherever they
/// lie in memory only in its reproducible mode (Intel oneMKL Developer Guide, "Obtaining Numerically Reproducible Results").
/// </summary>
internal static partial class NativeEnvironment
{
    private const string SpinVariable = "GOMP_SPINCOUNT", PolicyVariable = "OMP_WAIT_POLICY", ReproducibleVariable = "MKL_CBWR", WorkspaceVariable = "CUBLAS_WORKSPACE_CONFIG";
    private const string Spins = "2000"; // a few microseconds, about the length of the gap between two operations of one step

    /// <summary>Sets the defaults, before the libraries are loaded and read them; what a user has set stays.</summary>
    public static void SetDefaults()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        // Environment.SetEnvironmentVariable changes .NET's copy only; native libraries read the process's own.
        _ = SetVariable(ReproducibleVariable, "AUTO", 0);
        _ = SetVariable(WorkspaceVariable, ":4096:8", 0); // the size that cuBLAS takes on large GPUs anyway; named, its products have the same bits (NVIDIA cuBLAS, "Results Reproducibility")
        if (Environment.GetEnvironmentVariable(PolicyVariable) is null)
        {
            _ = SetVariable(SpinVariable, Spins, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}

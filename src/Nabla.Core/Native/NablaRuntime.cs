using Nabla.Core.Native;

namespace Nabla.Core;

/// <summary>The native tensor library under Nabla. Any first use of a tensor loads it; call <see cref="EnsureLoaded"/> to have errors early and plain.</summary>
public static class NablaRuntime
{
    /// <summary>Loads libtorch and TorchSharp's library, unless that is done. Thread-safe.</summary>
    /// <exception cref="NativeLibraryException">A library is missing or refused by the loader; the message says which, why, and what to do.</exception>
    public static void EnsureLoaded()
    {
        _ = NativeBootstrap.Loaded;
        _ = torch.get_num_threads();
    }

    /// <summary>
    /// Lets the tensor operations of the calling thread run on that thread alone. Call it at the start of a background thread that
    /// prepares data, so that it does not take the cores from the thread that trains.
    /// </summary>
    public static void UseOneThreadHere() => NativeThreads.UseOne();

    /// <summary>
    /// Lets this process end without the destructors of native libraries, once managed code has ended: for a program that has nothing of its own left
    /// to do then. Those of libtorch 2.11 were seen to crash (oneDNN's store of kernels, after all work was done), which would turn exit code 0 into 139.
    /// </summary>
    public static void EndWithoutNativeDestructors() => AppDomain.CurrentDomain.ProcessExit += static (_, _) => NativeExit.LeaveOutDestructors();
}

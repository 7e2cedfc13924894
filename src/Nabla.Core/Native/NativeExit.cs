using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>How native libraries see the end of the process.</summary>
internal static unsafe class NativeExit
{
    /// <summary>
    /// Registers <c>_exit</c> as the C library's newest exit handler (on_exit, glibc): the newest runs first, with the exit code, and no older one after it.
    /// Elsewhere nothing is changed.
    /// </summary>
    public static void LeaveOutDestructors()
    {
        if (OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out var library)
            && NativeLibrary.TryGetExport(library, "on_exit", out var register) && NativeLibrary.TryGetExport(library, "_exit", out var leave))
        {
            _ = ((delegate* unmanaged<nint, nint, int>)register)(leave, 0);
        }
    }
}

using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Keeps native memory flat. glibc gives each new thread an arena of its own, up to eight for each core, and keeps what was freed there.
/// A loader makes tensors on a thread of its own in every epoch, so memory would grow by tens of megabytes an epoch until all arenas
/// exist: measured on fashion-mnist, 617 MB in the first epoch became 966 MB in the sixth.
/// </summary>
internal static partial class NativeHeap
{
    private const int ArenaMax = -8; // M_ARENA_MAX, malloc.h of glibc
    private const int Arenas = 2; // one for the thread that trains, one for those that prepare data

    /// <summary>Limits the arenas; what a user has set with MALLOC_ARENA_MAX stays.</summary>
    public static void LimitArenas()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_ARENA_MAX") is not null)
        {
            return;
        }
        try
        {
            _ = SetOption(ArenaMax, Arenas);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library (musl) has one heap and no such option.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}

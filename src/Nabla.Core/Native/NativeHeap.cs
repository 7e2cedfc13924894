using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Keeps native memory flat. glibc gives each new thread an arena of its own, up to eight for each core, and keeps what was freed there.
/// A loader makes tensors on a thread of its own in every epoch, so memory would grow by tens of megabytes an epoch until all arenas
/// exist. An arena of a thread is moreover a chain of heaps of 64 MB, none of which gives room to a batch that fits in two of them together:
/// measured on fashion-mnist with two arenas, 611 MB after 422 steps became 983 MB after 3,062. This is for what is small; large tensors have a heap of their own (<see cref="TensorHeap"/>).
/// </summary>
internal static partial class NativeHeap
{
    private const int ArenaMax = -8, TrimThreshold = -1, TopPad = -2, MappingThreshold = -3; // M_ARENA_MAX and so on, malloc.h of glibc
    private const int LargestFromHeap = 1 << 25; // the most that glibc allows
    private const int KeptAtTop = 1 << 28; // more than a heap of a thread's arena, so that glibc never unmaps one of them
    private const int Arenas = 1;
    private static bool _hasNoCount;

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

    /// <summary>
    /// Keeps freed memory for the next step instead of giving it back to the system. A training step frees all that it made, and the next one would
    /// get every page anew, cleared by the kernel: measured on a gpt of 10.8 million parameters, 130 of 860 ms a step. What a user has set stays.
    /// </summary>
    public static void KeepFreedMemory()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("MALLOC_TRIM_THRESHOLD_") is not null)
        {
            return;
        }
        try
        {
            _ = SetOption(TrimThreshold, int.MaxValue);
            _ = SetOption(TopPad, KeptAtTop);
            _ = SetOption(MappingThreshold, LargestFromHeap);
        }
        catch (EntryPointNotFoundException)
        {
            // musl keeps what it likes.
        }
    }

    /// <summary>Bytes that were allocated and not freed yet, in all arenas and mappings; null where the C library has no such count.</summary>
    public static long? BytesInUse
    {
        get
        {
            if (!OperatingSystem.IsLinux() || _hasNoCount)
            {
                return null;
            }
            try
            {
                var info = Count();
                return (long)(info.InUse + info.Mapped);
            }
            catch (EntryPointNotFoundException)
            {
                _hasNoCount = true; // glibc before 2.33, or musl
                return null;
            }
        }
    }

    /// <summary>Gives freed memory back to the system, where the C library can.</summary>
    public static void Trim()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        try
        {
            _ = Trim(0);
        }
        catch (EntryPointNotFoundException)
        {
            // musl gives memory back by itself.
        }
    }

    /// <summary>struct mallinfo2 of malloc.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct HeapInfo
    {
        private readonly nuint _arena, _freeChunks, _fastChunks, _mappings;
        public readonly nuint Mapped;
        private readonly nuint _unused, _fastBytes;
        public readonly nuint InUse;
        private readonly nuint _freeBytes, _top;
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    private static partial HeapInfo Count();

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint pad);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}

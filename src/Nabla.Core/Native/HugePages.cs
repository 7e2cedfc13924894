using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>
/// Anonymous memory of Linux, in pages of 2 MB where there is room for one and the system allows it (<c>transparent_hugepage</c>: always or madvise): clearing
/// and translating one such page costs a fraction of 512 small ones.
/// </summary>
internal sealed partial class HugePages : IPageSource
{
    private const long HugePage = 2 << 20;
    private const int ReadAndWrite = 3, PrivateAndAnonymous = 0x22, HugePageAdvice = 14; // sys/mman.h
    private const nint Failed = -1;

    private const string Setting = "/sys/kernel/mm/transparent_hugepage/enabled";

    /// <summary>Whether the system gives huge pages to whoever asks for them.</summary>
    public static bool AreOn => File.Exists(Setting) && !File.ReadAllText(Setting).Contains("[never]", StringComparison.Ordinal);

    /// <inheritdoc/>
    public nint Map(long bytes)
    {
        if (bytes < HugePage)
        {
            var place = Map(0, (nuint)bytes, ReadAndWrite, PrivateAndAnonymous, -1, 0);
            return place == Failed ? 0 : place;
        }
        if (bytes > long.MaxValue - HugePage)
        {
            return 0;
        }
        var start = Map(0, (nuint)(bytes + HugePage), ReadAndWrite, PrivateAndAnonymous, -1, 0);
        if (start == Failed)
        {
            return 0;
        }
        var aligned = (nint)((start + HugePage - 1) / HugePage * HugePage);
        var (before, after) = (aligned - start, start + (nint)HugePage - aligned);
        if (before > 0)
        {
            _ = Unmap(start, (nuint)before);
        }
        if (after > 0)
        {
            _ = Unmap(aligned + (nint)bytes, (nuint)after);
        }
        _ = Advise(aligned, (nuint)bytes, HugePageAdvice); // refused where the kernel has none: small pages then
        return aligned;
    }

    /// <inheritdoc/>
    public void Unmap(nint start, long bytes) => _ = Unmap(start, (nuint)bytes);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}

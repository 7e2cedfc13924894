using System.Runtime.InteropServices;

namespace Nabla.Training.Tests;

/// <summary>A file system in memory with little room, mounted for a test.</summary>
internal sealed partial class SmallDisk : IDisposable
{
    private const ulong ReadOnly = 1, Remount = 32;
    private const int Detach = 2;

    private SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>Mounts a disk over an empty folder; null when this is not allowed here.</summary>
    public static SmallDisk? TryMount(string path, int kilobytes)
        => OperatingSystem.IsLinux() && Mount("nabla", path, "tmpfs", 0, FormattableString.Invariant($"size={kilobytes}k")) == 0 ? new(path) : null;

    public void MakeReadOnly() => Assert.Equal(0, Mount("nabla", Path, "tmpfs", Remount | ReadOnly, ""));

    public void Dispose() => _ = Unmount(Path, Detach);

    [LibraryImport("libc", EntryPoint = "mount", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Mount(string source, string target, string type, ulong flags, string data);

    [LibraryImport("libc", EntryPoint = "umount2", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Unmount(string target, int flags);
}

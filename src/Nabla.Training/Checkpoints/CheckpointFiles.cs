using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// The file operations that a checkpoint is made of, one method each. Tests put a failing or dying one in its place: a full disk and a
/// kill at any of them must leave the run whole.
/// </summary>
internal class CheckpointFiles
{
    /// <summary>Writes a new file and flushes it to the disk.</summary>
    public virtual void Write(string path, Action<Stream> write)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16);
        write(stream);
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Replaces a small text file as a whole.</summary>
    public virtual void WritePointer(string path, string text) => AtomicFile.WriteText(path, text);

    /// <summary>Makes a folder and those above it.</summary>
    public virtual void CreateFolder(string path) => Directory.CreateDirectory(path);

    /// <summary>Renames a folder.</summary>
    public virtual void RenameFolder(string from, string to) => Directory.Move(from, to);

    /// <summary>Makes renames in a folder survive a loss of power.</summary>
    public virtual void Sync(string folder) => SyncFolder(folder);

    /// <summary>Deletes a folder with all in it.</summary>
    public virtual void DeleteFolder(string path) => Directory.Delete(path, recursive: true);

    /// <summary>Waits before something is tried again.</summary>
    public virtual void Pause(TimeSpan time) => Thread.Sleep(time);

    /// <summary>Reserves space for a file of this size, which the operating system grants or refuses at once, and gives it back.</summary>
    public virtual void ProbeSpace(string path, long bytes)
    {
        File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose, preallocationSize: bytes).Dispose();
    }

    // Renames are in the page cache until their folder is flushed; .NET has no call for that.
    private static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        var descriptor = Posix.Open(path, 0);
        if (descriptor >= 0)
        {
            _ = Posix.Sync(descriptor); // some file systems refuse this for folders; the rename itself has been done
            _ = Posix.Close(descriptor);
        }
    }

    private static class Posix
    {
        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Sync(int descriptor);

        [DllImport("libc", EntryPoint = "close", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }
}

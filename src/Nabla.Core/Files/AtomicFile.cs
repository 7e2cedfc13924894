namespace Nabla.Core;

/// <summary>
/// Writes files that are whole or absent: content goes to a temporary name beside the target, is flushed to the disk, and is then
/// renamed. A reader, a crash or a full disk never meets half a file under the final name.
/// </summary>
public static class AtomicFile
{
    /// <summary>Part of every temporary name, so that leftovers of a crash can be told from files.</summary>
    public const string TemporaryMark = ".partial-";

    /// <summary>Writes <paramref name="path"/> by <paramref name="write"/>, replacing what is there only when all went well.</summary>
    /// <param name="path">The final name; its folder must exist.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">The disk is full or fails.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be written.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var temporary = $"{path}{TemporaryMark}{Guid.NewGuid():N}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            TryDelete(temporary);
            throw;
        }
    }

    /// <summary>Writes UTF-8 text without a byte order mark.</summary>
    /// <param name="path">The final name; its folder must exist.</param>
    /// <param name="text">The content.</param>
    public static void WriteText(string path, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        Write(path, stream => stream.Write(bytes));
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The first error is what the caller must hear; a leftover carries TemporaryMark in its name.
        }
    }
}

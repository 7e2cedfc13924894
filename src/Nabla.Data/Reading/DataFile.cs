using Nabla.Core;

namespace Nabla.Data;

/// <summary>Opens data files, plain or compressed with gzip, with errors that name the file.</summary>
public static class DataFile
{
    /// <summary>
    /// Opens a file for reading from its start. A file that begins with gzip's magic number is decompressed; when it is cut off or
    /// damaged, reading throws a <see cref="DataException"/>.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is not there, is a folder, or may not be read.</exception>
    public static Stream OpenRead(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = Open(path);
        try
        {
            Span<byte> magic = stackalloc byte[2];
            var read = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
            file.Position = 0;
            return read == 2 && magic[0] == 0x1F && magic[1] == 0x8B ? new CheckedGzipStream(file, path) : file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file as it is, without decompression.</summary>
    internal static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 64 * 1024, FileOptions.SequentialScan);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DataException($"{path}: there is no such file. Check the path; relative paths start at {Environment.CurrentDirectory}.", error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new DataException(Directory.Exists(path)
                ? $"{path}: expected a file, got a folder."
                : $"{path}: the file may not be read by this user. Change its permissions.", error);
        }
        catch (IOException error)
        {
            throw new DataException($"{path}: the file cannot be opened: {error.Message}", error);
        }
    }

    /// <summary>The extension that tells the format, in lower case and without <c>.gz</c>: <c>.csv</c> for <c>a/Train.CSV.gz</c>.</summary>
    /// <param name="path">A file's path or name.</param>
    public static string FormatExtension(string path)
    {
        var name = Path.GetFileName(path);
        return Path.GetExtension(name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name).ToLowerInvariant();
    }
}

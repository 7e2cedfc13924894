using System.Security.Cryptography;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Content hashes of files.</summary>
public static class FileHash
{
    /// <summary>SHA-256 of a file as it lies on the disk, as 64 lower-case hexadecimal digits. The file is read as a stream.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is missing or cannot be read.</exception>
    public static string Sha256(string path)
    {
        using var file = DataFile.Open(path);
        try
        {
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
        catch (IOException error)
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>SHA-256 of a file as it lies on the disk, as 64 lower-case hexadecimal digits. The file is read as a stream.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="DataException">The file is missing or cannot be read.</exception>
    public static async Task<string> Sha256Async(string path, CancellationToken cancellationToken = default)
    {
        using var file = DataFile.Open(path);
        try
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false));
        }
        catch (IOException error)
        {
            throw Unreadable(path, error);
        }
    }

    /// <summary>One hash over several files of a user, in the form of <see cref="CatalogueEntry.ContentHash"/>.</summary>
    /// <param name="paths">The files; only their names and contents count, not their folders.</param>
    /// <exception cref="DataException">A file is missing or cannot be read.</exception>
    public static string ContentHash(params IEnumerable<string> paths)
        => CatalogueEntry.HashOf(paths.OrderBy(path => Path.GetFileName(path), StringComparer.Ordinal).Select(path => $"{Sha256(path)}  {Path.GetFileName(path)}"));

    private static DataException Unreadable(string path, IOException error) => new($"{path}: the file cannot be read whole: {error.Message}", error);
}

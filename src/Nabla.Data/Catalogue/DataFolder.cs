using Nabla.Core;

namespace Nabla.Data;

/// <summary>The folder that holds catalogued data sets, each in a folder of its name.</summary>
public static class DataFolder
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "NABLA_DATA";

    /// <summary>The folder: <c>NABLA_DATA</c> when it is set, else <c>nabla/data</c> in the user's cache (<c>XDG_CACHE_HOME</c> or <c>~/.cache</c>; on Windows the local application data, on macOS <c>~/Library/Caches</c>). It need not exist.</summary>
    public static string Resolve() => Resolve(Environment.GetEnvironmentVariable);

    internal static string Resolve(Func<string, string?> environment)
    {
        if (environment(Variable) is { Length: > 0 } named)
        {
            return Path.GetFullPath(named);
        }
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var cache = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches")
            : environment("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg) ? xdg
            : Path.Combine(home, ".cache");
        return Path.Combine(cache, "nabla", "data");
    }

    /// <summary>Whether all files that loading a set needs are there. Their content is not checked.</summary>
    /// <param name="entry">The set.</param>
    /// <param name="folder">The data folder; null for <see cref="Resolve()"/>.</param>
    public static bool Holds(CatalogueEntry entry, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Files.Where(file => !file.IsDocumentation).All(file => Find(entry, file, folder ?? Resolve()) is not null);
    }

    /// <summary>The paths of the files that loading a set needs, by their catalogued names, each checked against its SHA-256.</summary>
    /// <param name="entry">The set.</param>
    /// <param name="folder">The data folder; null for <see cref="Resolve()"/>.</param>
    /// <exception cref="DataException">A file is missing (the message says where it was looked for and how to get it) or is not the catalogued one.</exception>
    public static IReadOnlyDictionary<string, string> Verify(CatalogueEntry entry, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(entry);
        folder ??= Resolve();
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in entry.Files.Where(file => !file.IsDocumentation))
        {
            var (path, form) = Find(entry, file, folder) ?? throw Missing(entry, file, folder);
            var actual = FileHash.Sha256(path);
            if (actual != form.Sha256)
            {
                throw WrongHash(entry, form, path, actual);
            }
            paths[file.Name] = path;
        }
        return paths;
    }

    internal static (string Path, CatalogueFile Form)? Find(CatalogueEntry entry, CatalogueFile file, string folder)
    {
        foreach (var form in file.Forms)
        {
            var path = Path.Combine(folder, entry.Name, form.Name);
            if (File.Exists(path))
            {
                return (path, form);
            }
        }
        return null;
    }

    private static DataException Missing(CatalogueEntry entry, CatalogueFile file, string folder) => new(
        $"Data set '{entry.Name}': expected {string.Join(" or ", file.Forms.Select(form => form.Name))} in {Path.Combine(folder, entry.Name)}, found no such file. "
        + $"Run `nabla data pull {entry.Name}`, or set {Variable} to a folder that holds {entry.Name}/.");

    private static DataException WrongHash(CatalogueEntry entry, CatalogueFile form, string path, string actual)
    {
        var size = new FileInfo(path).Length;
        return new($"{path}: expected SHA-256 {form.Sha256} ({form.Size} bytes), got {actual} ({size} bytes). The file is cut off, damaged or changed. "
            + $"Delete it and run `nabla data pull {entry.Name}`; to train on your own version of the data, give its path instead of the set's name.");
    }
}

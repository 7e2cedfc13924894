using Nabla.Core;

namespace Nabla.Data;

/// <summary>The data sets that Nabla knows by name.</summary>
public static partial class Catalogue
{
    /// <summary>All of them, ordered by name.</summary>
    public static IReadOnlyList<CatalogueEntry> All { get; } = [.. Entries().OrderBy(entry => entry.Name, StringComparer.Ordinal)];

    /// <summary>The set of a name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="DataException">There is no such set; the message lists the names and the nearest.</exception>
    public static CatalogueEntry Find(string name) => All.FirstOrDefault(entry => entry.Name == name)
        ?? throw new DataException($"Data set '{name}' is not known. {NearestName.Suggest(name, [.. All.Select(entry => entry.Name)])}");

    private static CatalogueFile File(string name, long size, string sha256, string repository, string path) => new()
    {
        Name = name,
        Size = size,
        Sha256 = sha256,
        Url = new($"https://raw.githubusercontent.com/{repository}/{path}"),
    };

    /// <summary>A gzip made from a publisher's plain file, which a pull fetches in its place.</summary>
    private static CatalogueFile Packed(string name, long size, string sha256, CatalogueFile original) => new()
    {
        Name = name,
        Size = size,
        Sha256 = sha256,
        Original = original,
    };

    private static CatalogueFile Document(CatalogueFile file) => file with { IsDocumentation = true };
}

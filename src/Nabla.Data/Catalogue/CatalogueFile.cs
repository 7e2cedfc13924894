using System.Text.Json.Serialization;

namespace Nabla.Data;

/// <summary>One file of a catalogued data set.</summary>
public sealed record CatalogueFile
{
    /// <summary>Name in the set's folder.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the file, 64 lower-case hexadecimal digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Where the publisher offers this very file, or null when this file is a packed form of <see cref="Original"/>.</summary>
    public Uri? Url { get; init; }

    /// <summary>The publisher's uncompressed file when <see cref="Name"/> is a gzip of it; a data folder may hold either, and a pull fetches this one.</summary>
    public CatalogueFile? Original { get; init; }

    /// <summary>Whether the file only describes the data and is not needed to load it.</summary>
    public bool IsDocumentation { get; init; }

    /// <summary>The form that a pull fetches: the original where there is one.</summary>
    [JsonIgnore]
    public CatalogueFile Published => Original ?? this;

    /// <summary>The forms in which the file may lie in a data folder.</summary>
    internal IEnumerable<CatalogueFile> Forms => Original is null ? [this] : [this, Original];
}

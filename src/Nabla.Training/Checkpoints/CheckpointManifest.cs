using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nabla.Training;

/// <summary>Content of <c>manifest.json</c>: what belongs to a checkpoint. Written last, so a checkpoint without it is half written.</summary>
internal sealed record CheckpointManifest
{
    /// <summary>Format of the checkpoint, as in its state.</summary>
    public int Format { get; init; }

    /// <summary>Step of the checkpoint.</summary>
    public long Step { get; init; }

    /// <summary>Version of Nabla that wrote it; null in format 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? WrittenBy { get; init; }

    /// <summary>Its files, by name.</summary>
    public required SortedDictionary<string, ManifestFile> Files { get; init; }

    /// <summary>SHA-256 of this manifest, written with this field empty: a changed letter here must not put the blame on another file.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>This manifest with its own sum.</summary>
    public CheckpointManifest Sealed() => this with { Sha256 = OwnSum() };

    /// <summary>Whether the sum fits the content.</summary>
    public bool IsSealed() => Sha256 == OwnSum();

    private string OwnSum() => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(this with { Sha256 = "" }, RunJson.Default.CheckpointManifest)));
}

/// <summary>A file of a checkpoint.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its sum, lower-case hexadecimal.</param>
/// <param name="Tensors">Sum of each tensor in it, or null when it holds none.</param>
internal sealed record ManifestFile(long Bytes, string Sha256, SortedDictionary<string, string>? Tensors = null);

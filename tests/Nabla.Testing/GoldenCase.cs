using System.Globalization;
using System.Text.Json;

namespace Nabla.Testing;

/// <summary>One reference case: its JSON entry, and the tensors whose keys start with its name and a point.</summary>
public sealed class GoldenCase
{
    private readonly Lazy<GoldenTensors> _tensors;

    internal GoldenCase(string path, JsonElement json, Lazy<GoldenTensors> tensors)
    {
        (Path, Json, _tensors) = (path, json, tensors);
        Name = json.TryGetProperty("name", out var name) || json.TryGetProperty("id", out name) ? name.GetString()! : throw new InvalidDataException($"{path}: a case has no name.");
    }

    /// <summary>The JSON file.</summary>
    public string Path { get; }

    /// <summary>Name of the file without extension, such as <c>conv</c>.</summary>
    public string File => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Name of the case.</summary>
    public string Name { get; }

    /// <summary>The case's JSON entry.</summary>
    public JsonElement Json { get; }

    /// <summary>The case's <c>options</c>, or an empty object.</summary>
    public JsonElement Options => Json.TryGetProperty("options", out var options) ? options : EmptyObject;

    /// <summary>Roles of this case's tensors, such as <c>input.x</c> and <c>output.f64</c>.</summary>
    public IReadOnlyList<string> Roles
        => [.. _tensors.Value.Keys.Where(key => key.StartsWith(Name + ".", StringComparison.Ordinal)).Select(key => key[(Name.Length + 1)..]).Order(StringComparer.Ordinal)];

    private static JsonElement EmptyObject { get; } = JsonDocument.Parse("{}").RootElement.Clone();

    /// <summary>A text property of the case, or null when it is absent.</summary>
    /// <param name="property">Its name.</param>
    public string? Text(string property)
        => Json.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whether the case has a tensor in this role.</summary>
    /// <param name="role">The part of the key after the case's name.</param>
    public bool Has(string role) => _tensors.Value.Has($"{Name}.{role}");

    /// <summary>A new tensor; the caller owns it.</summary>
    /// <param name="role">The part of the key after the case's name.</param>
    public Tensor Tensor(string role) => _tensors.Value.Tensor($"{Name}.{role}");

    /// <summary>The numbers of a tensor as doubles.</summary>
    /// <param name="role">The part of the key after the case's name.</param>
    public double[] Doubles(string role) => _tensors.Value.Doubles($"{Name}.{role}");

    /// <summary>Reads a number, also where JSON holds <c>"NaN"</c>, <c>"Infinity"</c> or <c>"-Infinity"</c>.</summary>
    /// <param name="value">A JSON number or one of those strings.</param>
    public static double Number(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString() switch
        {
            "NaN" => double.NaN,
            "Infinity" => double.PositiveInfinity,
            "-Infinity" => double.NegativeInfinity,
            var other => double.Parse(other!, CultureInfo.InvariantCulture),
        }
        : value.GetDouble();

    /// <inheritdoc/>
    public override string ToString() => $"{File}/{Name}";
}

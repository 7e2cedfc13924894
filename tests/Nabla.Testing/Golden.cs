using System.Text.Json;

namespace Nabla.Testing;

/// <summary>
/// Reference cases made with the field's own libraries. Every <c>*.json</c> below <c>tests/golden/AREA</c> and below
/// <c>$NABLA_GOLDEN/AREA</c> is read; a file without a <c>cases</c> list gives none. New files and cases need no new code.
/// </summary>
public static class Golden
{
    /// <summary>The folders that are searched for an area, those that exist.</summary>
    /// <param name="area">Path of the area, such as <c>training/layers</c>.</param>
    public static IReadOnlyList<string> Folders(string area)
    {
        List<string> folders = [Path.Combine(Repository.Root, "tests", "golden", area)];
        if (Environment.GetEnvironmentVariable("NABLA_GOLDEN") is { Length: > 0 } more)
        {
            folders.Add(Path.GetFullPath(Path.Combine(more, area)));
        }
        return [.. folders.Where(Directory.Exists)];
    }

    /// <summary>Every JSON file of an area.</summary>
    /// <param name="area">Path of the area.</param>
    public static IReadOnlyList<string> Files(string area)
        => [.. Folders(area).SelectMany(folder => Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];

    /// <summary>Every case of every file of an area.</summary>
    /// <param name="area">Path of the area, such as <c>training/layers</c>.</param>
    /// <exception cref="InvalidDataException">The area holds no case: the tests would pass without testing.</exception>
    public static IReadOnlyList<GoldenCase> Cases(string area)
    {
        List<GoldenCase> cases = [];
        foreach (var path in Files(area))
        {
            using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(path));
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("cases", out var list))
            {
                continue;
            }
            var tensors = Path.ChangeExtension(path, ".safetensors");
            var source = new Lazy<GoldenTensors>(() => System.IO.File.Exists(tensors) ? GoldenTensors.Read(tensors) : GoldenTensors.Empty);
            cases.AddRange(list.EnumerateArray().Select(json => new GoldenCase(path, json.Clone(), source)));
        }
        return cases.Count > 0 ? cases : throw new InvalidDataException($"No golden cases below {string.Join(", ", Folders(area))} (area {area}).");
    }

    /// <summary>Every case of an area as rows for <c>[Theory, MemberData]</c>; a row shows as <c>file/case</c>.</summary>
    /// <param name="area">Path of the area.</param>
    public static IEnumerable<Xunit.TheoryDataRow<GoldenCase>> Rows(string area)
        => Cases(area).Select(golden => new Xunit.TheoryDataRow<GoldenCase>(golden) { TestDisplayName = $"{area} {golden}" });
}

using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Nabla;

/// <summary>Turns the trees of recipe.yaml and environment.json into lines of path and value.</summary>
internal static class RunSettings
{
    /// <summary>Every leaf of a YAML text by its path, such as <c>training.optimizer.name</c>.</summary>
    /// <exception cref="YamlException">The text is not YAML.</exception>
    public static IReadOnlyList<ReportFact> FromYaml(string text)
    {
        using StringReader reader = new(text);
        YamlStream stream = new();
        stream.Load(reader);
        List<ReportFact> facts = [];
        if (stream.Documents.Count > 0)
        {
            Add(facts, "", stream.Documents[0].RootNode);
        }
        return facts;
    }

    /// <summary>Every leaf of a JSON text by its path.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static IReadOnlyList<ReportFact> FromJson(string text)
    {
        using var document = JsonDocument.Parse(text);
        List<ReportFact> facts = [];
        Add(facts, "", document.RootElement);
        return facts;
    }

    private static void Add(List<ReportFact> facts, string path, YamlNode node)
    {
        switch (node)
        {
            case YamlMappingNode { Children.Count: > 0 } map:
                foreach (var (key, value) in map.Children)
                {
                    Add(facts, Join(path, key.ToString()), value);
                }
                break;
            case YamlSequenceNode { Children.Count: > 0 } list when list.Children.Any(child => child is not YamlScalarNode):
                for (var i = 0; i < list.Children.Count; i++)
                {
                    Add(facts, $"{path}[{i}]", list.Children[i]);
                }
                break;
            case YamlSequenceNode list:
                facts.Add(new(path, $"[{string.Join(", ", list.Children)}]"));
                break;
            case YamlScalarNode scalar:
                facts.Add(new(path, scalar.Value ?? ""));
                break;
            default:
                facts.Add(new(path, "{}"));
                break;
        }
    }

    private static void Add(List<ReportFact> facts, string path, JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in element.EnumerateObject())
                {
                    Add(facts, Join(path, property.Name), property.Value);
                }
                break;
            case JsonValueKind.Array when element.EnumerateArray().Any(item => item.ValueKind is JsonValueKind.Object or JsonValueKind.Array):
                var i = 0;
                foreach (var item in element.EnumerateArray())
                {
                    Add(facts, $"{path}[{i++}]", item);
                }
                break;
            case JsonValueKind.Array:
                facts.Add(new(path, $"[{string.Join(", ", element.EnumerateArray())}]"));
                break;
            default:
                facts.Add(new(path, element.ToString()));
                break;
        }
    }

    private static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";
}

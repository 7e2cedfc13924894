using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;

namespace Nabla;

/// <summary>
/// Reads the summaries of properties from the XML documentation beside an assembly; an assembly that was shipped without it has none.
/// Thread-safe.
/// </summary>
internal static partial class XmlDocumentation
{
    private static readonly ConcurrentDictionary<Assembly, IReadOnlyDictionary<string, string>> Cache = new();

    /// <summary>The summary of a property, on one line; null when there is none.</summary>
    public static string? Of(PropertyInfo property)
        => Read(property.DeclaringType!.Assembly).GetValueOrDefault($"P:{property.DeclaringType.FullName!.Replace('+', '.')}.{property.Name}");

    /// <summary>The summary of a type, on one line; null when there is none.</summary>
    public static string? Of(Type type) => Read(type.Assembly).GetValueOrDefault($"T:{type.FullName!.Replace('+', '.')}");

    private static IReadOnlyDictionary<string, string> Read(Assembly assembly) => Cache.GetOrAdd(assembly, static found =>
    {
        var file = found.Location.Length == 0 ? null : Path.ChangeExtension(found.Location, ".xml");
        if (!File.Exists(file))
        {
            return new Dictionary<string, string>();
        }
        try
        {
            return XDocument.Load(file).Descendants("member")
                .Where(member => member.Attribute("name") is not null && member.Element("summary") is not null)
                .GroupBy(member => member.Attribute("name")!.Value)
                .ToDictionary(group => group.Key, group => Plain(group.First().Element("summary")!));
        }
        catch (Exception problem) when (problem is XmlException or IOException or UnauthorizedAccessException)
        {
            return new Dictionary<string, string>(); // descriptions are help for editors; the schema stands without them
        }
    });

    /// <summary>The text of an element; a reference is replaced by the last part of its name in a recipe's spelling.</summary>
    private static string Plain(XElement element) => Spaces().Replace(string.Concat(element.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) => node switch
    {
        XText text => text.Value,
        XElement reference when reference.Attribute("cref") is { } target => Key(target.Value),
        XElement reference when (reference.Attribute("langword") ?? reference.Attribute("name")) is { } word => word.Value,
        XElement inner => string.Concat(inner.Nodes().Select(Text)),
        _ => "",
    };

    private static string Key(string target)
    {
        var name = target[(target.LastIndexOf('.') + 1)..];
        return target.StartsWith("P:", StringComparison.Ordinal) ? System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name) : name;
    }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();
}

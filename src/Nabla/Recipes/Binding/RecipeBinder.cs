using System.Globalization;
using System.Text.RegularExpressions;

namespace Nabla;

/// <summary>
/// Turns the tree of a recipe into options records. It goes on after a problem, so that all problems are found at once;
/// what could not be read keeps its default.
/// </summary>
internal sealed partial class RecipeBinder(RecipeRegistry registry, List<RecipeFinding> findings)
{
    private readonly Dictionary<string, RecipeLocation> _places = new(StringComparer.Ordinal);

    /// <summary>Binds a mapping to a record.</summary>
    /// <param name="type">Type of the record.</param>
    /// <param name="root">The mapping.</param>
    /// <param name="path">Path of the mapping in the recipe; empty for the whole.</param>
    /// <returns>The record; its values are complete only when no finding was added.</returns>
    public object Bind(Type type, MappingNode root, string path = "")
    {
        _places[path] = root.Location;
        return BindRecord(type, root, path, nameKey: null);
    }

    /// <summary>The place of a key, or of the nearest group above it that is written.</summary>
    public RecipeLocation PlaceOf(string path)
    {
        while (true)
        {
            if (_places.TryGetValue(path, out var place) || path.Length == 0)
            {
                return place;
            }
            var dot = path.LastIndexOf('.');
            path = dot < 0 ? "" : path[..dot];
        }
    }

    private object? BindValue(MemberType type, RecipeNode node, string path, OptionsMember? member, object? owner)
    {
        _places[path] = node.Location;
        if (node is ScalarNode { IsNull: true })
        {
            if (type.AllowsNull)
            {
                return null;
            }
            return type.Kind is ValueKind.Record ? BindRecord(type.Type, new MappingNode(node.Location, []), path, null) : Mismatch(type, node, path, member, owner);
        }
        return (type.Kind, node) switch
        {
            (ValueKind.List, SequenceNode sequence) => BindList(type, sequence, path),
            (ValueKind.Dictionary, MappingNode mapping) => BindDictionary(type, mapping, path),
            (ValueKind.Part, _) => BindPart(type, node, path),
            (ValueKind.Record, MappingNode mapping) => BindRecord(type.Type, mapping, path, null),
            (ValueKind.Record, ScalarNode scalar) when NameMember(type.Type) is not null
                => BindRecord(type.Type, new MappingNode(node.Location, [new("name", node.Location, scalar)]), path, null),
            (not (ValueKind.List or ValueKind.Dictionary or ValueKind.Record), ScalarNode scalar) => BindScalar(type, scalar, path, member, owner),
            _ => Mismatch(type, node, path, member, owner),
        };
    }

    private object? BindScalar(MemberType type, ScalarNode scalar, string path, OptionsMember? member, object? owner)
    {
        var text = scalar.Value;
        switch (type.Kind)
        {
            case ValueKind.Boolean when scalar.IsPlain && ScalarReader.TryReadBoolean(text, out var flag):
                return flag;
            case ValueKind.Integer when member is { AllowsAuto: true } && text == "auto":
                return Core.AutoValueAttribute.Value;
            case ValueKind.Integer when scalar.IsPlain && ScalarReader.TryReadInteger(text, out var integer) && (type.Type == typeof(long) || integer is >= int.MinValue and <= int.MaxValue):
                return type.Type == typeof(long) ? integer : (object)(int)integer;
            case ValueKind.Number when scalar.IsPlain && ScalarReader.TryReadDouble(text, out var number):
                return type.Type == typeof(float) ? (float)number : (object)number;
            case ValueKind.Character when text.Length == 1:
                return text[0];
            case ValueKind.Text:
                return registry.NamesAt(WithoutIndices(path)) is { } names && !names.Any(name => name.Name == text)
                    ? UnknownName(scalar.Location, path, NounOf(path), text, [.. names.Select(name => name.Name)])
                    : text;
            case ValueKind.Enum:
                var values = OptionsMembers.EnumNames(type.Type);
                foreach (var (name, value) in values)
                {
                    if (name == text)
                    {
                        return value;
                    }
                }
                return UnknownName(scalar.Location, path, NounOf(path), text, [.. values.Select(value => value.Name)]);
            default:
                return Mismatch(type, scalar, path, member, owner);
        }
    }

    private object BindList(MemberType type, SequenceNode sequence, string path)
    {
        var items = Array.CreateInstance(ClrType(type.Element!), sequence.Items.Count);
        for (var i = 0; i < sequence.Items.Count; i++)
        {
            if (BindValue(type.Element!, sequence.Items[i], string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), null, null) is { } item)
            {
                items.SetValue(item, i);
            }
        }
        return ValueListOf(type.Element!, items);
    }

    private object BindDictionary(MemberType type, MappingNode mapping, string path)
    {
        var pairType = typeof(KeyValuePair<,>).MakeGenericType(typeof(string), ClrType(type.Element!));
        var pairs = Array.CreateInstance(pairType, mapping.Entries.Count);
        for (var i = 0; i < mapping.Entries.Count; i++)
        {
            var entry = mapping.Entries[i];
            var value = BindValue(type.Element!, entry.Value, Join(path, entry.Key), null, null);
            pairs.SetValue(Activator.CreateInstance(pairType, entry.Key, value), i);
        }
        return ValueDictionaryOf(type.Element!, pairs);
    }

    private object? BindPart(MemberType type, RecipeNode node, string path)
    {
        var parts = RecipeParts.Of(type.Type);
        var registered = parts.Registered(registry);
        var (name, place, options) = node switch
        {
            ScalarNode scalar => (scalar.Value, scalar.Location, new MappingNode(scalar.Location, [])),
            MappingNode { Entries: [var only] } when parts.IsListItem => (only.Key, only.KeyLocation, only.Value as MappingNode),
            MappingNode mapping when !parts.IsListItem && mapping.Find(parts.NameKey) is ScalarNode { IsNull: false } scalar => (scalar.Value, scalar.Location, mapping),
            _ => (null, node.Location, null),
        };
        if (name is not null && options is null && node is MappingNode { Entries: [var item] } && item.Value is ScalarNode { IsNull: true })
        {
            options = new MappingNode(item.KeyLocation, []);
        }
        if (name is null || options is null)
        {
            var example = registered.Count > 0 ? registered[0].Name : "name";
            var form = parts.IsListItem ? $"a name, or '{example}: {{...}}' with its options" : $"{{{parts.NameKey}: {example}, ...}}";
            Add(node.Location, path, $"expected {form}, got {node.Describe()}.{Valid([.. registered.Select(part => part.Name)])}", expected: form, got: node.Describe());
            return null;
        }
        var part = registered.FirstOrDefault(candidate => candidate.Name == name);
        if (part is null)
        {
            return UnknownName(place, parts.IsListItem ? path : Join(path, parts.NameKey), parts.Noun, name, [.. registered.Select(candidate => candidate.Name)]);
        }
        _places[Join(path, parts.NameKey)] = place;
        var bound = BindRecord(part.OptionsType, options, parts.IsListItem ? Join(path, name) : path, parts.IsListItem ? null : parts.NameKey);
        return parts.Create(name, bound);
    }

    private object BindRecord(Type type, MappingNode mapping, string path, string? nameKey)
    {
        _places.TryAdd(path, mapping.Location);
        var options = Activator.CreateInstance(type)!;
        var members = OptionsMembers.Of(type);
        var failed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in mapping.Entries)
        {
            if (entry.Key == nameKey)
            {
                continue;
            }
            var member = members.FirstOrDefault(candidate => candidate.Key == entry.Key);
            var entryPath = Join(path, entry.Key);
            if (member is null)
            {
                UnknownKey(entry, entryPath, [.. members.Select(candidate => candidate.Key), .. nameKey is null ? (string[])[] : [nameKey]]);
                continue;
            }
            var before = findings.Count;
            var value = BindValue(member.Type, entry.Value, entryPath, member, options);
            if (findings.Count > before && member.Type.Kind is not (ValueKind.Record or ValueKind.Part))
            {
                failed.Add(member.Key);
            }
            else if (value is not null || member.Type.AllowsNull)
            {
                member.Set(options, value);
            }
        }
        foreach (var member in members)
        {
            if (member.IsRequired && mapping.Find(member.Key) is null)
            {
                Add(mapping.Location, Join(path, member.Key), $"this key is missing; it must be given ({TypeName(member.Type, null, null)}).{Example(Join(path, member.Key))}", expected: TypeName(member.Type, null, null), got: "nothing");
                failed.Add(member.Key);
            }
            else
            {
                KeepByValue(member, options);
            }
        }
        Validate(options, members, failed, path);
        return options;
    }

    /// <summary>Gives lists and dictionaries that were not written a type that compares by value.</summary>
    private static void KeepByValue(OptionsMember member, object options)
    {
        if (member.Type.Kind is ValueKind.List or ValueKind.Dictionary && member.Get(options) is { } value)
        {
            member.Set(options, member.Type.Kind == ValueKind.List ? ValueListOf(member.Type.Element!, value) : ValueDictionaryOf(member.Type.Element!, value));
        }
    }

    private static object ValueListOf(MemberType element, object items)
        => Activator.CreateInstance(typeof(ValueList<>).MakeGenericType(ClrType(element)), items)!;

    private static object ValueDictionaryOf(MemberType element, object pairs)
        => Activator.CreateInstance(typeof(ValueDictionary<>).MakeGenericType(ClrType(element)), pairs)!;

    private static Type ClrType(MemberType type)
        => type.AllowsNull && type.Type.IsValueType ? typeof(Nullable<>).MakeGenericType(type.Type) : type.Type;

    private static OptionsMember? NameMember(Type type)
        => OptionsMembers.Of(type).FirstOrDefault(member => member.Key == "name" && member.Type.Kind == ValueKind.Text);

    internal static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>What a path's value is, in words: its last key, or the one above when that is only "name".</summary>
    private static string NounOf(string path)
    {
        var keys = WithoutIndices(path).Replace("[]", "", StringComparison.Ordinal).Split('.');
        var noun = (keys is [.., var above, "name"] ? above : keys[^1]).Replace('_', ' ');
        return path.EndsWith(']') ? noun.TrimEnd('s') : noun;
    }

    private static string WithoutIndices(string path) => IndexPattern().Replace(path, "[]");

    [GeneratedRegex(@"\[\d+\]", RegexOptions.CultureInvariant)]
    private static partial Regex IndexPattern();
}

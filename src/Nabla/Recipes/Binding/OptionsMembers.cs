using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Nabla;

/// <summary>A type as a value in a recipe can have it, with its nullability.</summary>
internal sealed class MemberType
{
    private MemberType(Type type, bool allowsNull, ValueKind kind, MemberType? element)
        => (Type, AllowsNull, Kind, Element) = (type, allowsNull, kind, element);

    /// <summary>The type without <see cref="Nullable{T}"/>.</summary>
    public Type Type { get; }

    /// <summary>Whether nothing (null) may be written.</summary>
    public bool AllowsNull { get; }

    /// <summary>What can be written.</summary>
    public ValueKind Kind { get; }

    /// <summary>Type of the items of a list or the values of a dictionary.</summary>
    public MemberType? Element { get; }

    /// <summary>Reads a type and its annotations.</summary>
    public static MemberType Of(NullabilityInfo info)
    {
        var type = Nullable.GetUnderlyingType(info.Type) ?? info.Type;
        var allowsNull = info.WriteState == NullabilityState.Nullable || info.ReadState == NullabilityState.Nullable;
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var definition && definition == typeof(IReadOnlyDictionary<,>))
        {
            return type.GenericTypeArguments[0] == typeof(string)
                ? new(type, allowsNull, ValueKind.Dictionary, Of(info.GenericTypeArguments[1]))
                : throw new NotSupportedException($"{type}: only text can be a key in a recipe.");
        }
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var list && (list == typeof(IReadOnlyList<>) || list == typeof(IReadOnlyCollection<>) || list == typeof(IEnumerable<>)))
        {
            return new(type, allowsNull, ValueKind.List, Of(info.GenericTypeArguments[0]));
        }
        return new(type, allowsNull, KindOf(type), null);
    }

    private static ValueKind KindOf(Type type)
    {
        if (type.IsEnum)
        {
            return ValueKind.Enum;
        }
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Boolean => ValueKind.Boolean,
            TypeCode.Int32 or TypeCode.Int64 => ValueKind.Integer,
            TypeCode.Double or TypeCode.Single => ValueKind.Number,
            TypeCode.String => ValueKind.Text,
            TypeCode.Char => ValueKind.Character,
            _ when RecipeParts.IsPart(type) => ValueKind.Part,
            _ when type is { IsClass: true, IsAbstract: false } && type.GetConstructor(Type.EmptyTypes) is not null => ValueKind.Record,
            _ => throw new NotSupportedException($"A recipe cannot hold a {type}: use a record, a number, text, true or false, an enum, IReadOnlyList or IReadOnlyDictionary."),
        };
    }
}

/// <summary>What can be written for a <see cref="MemberType"/>.</summary>
internal enum ValueKind
{
    Boolean, Integer, Number, Text, Character, Enum, List, Dictionary, Record, Part,
}

/// <summary>One property of an options record: its key in a recipe and how it is set.</summary>
internal sealed class OptionsMember(PropertyInfo property, MemberType type)
{
    /// <summary>The key, snake_case.</summary>
    public string Key { get; } = JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);

    public PropertyInfo Property { get; } = property;

    public MemberType Type { get; } = type;

    /// <summary>Whether the key must be written.</summary>
    public bool IsRequired { get; } = property.IsDefined(typeof(RequiredMemberAttribute));

    /// <summary>Whether <c>auto</c> may be written for an integer (<see cref="Core.AutoValueAttribute"/>).</summary>
    public bool AllowsAuto { get; } = property.IsDefined(typeof(Core.AutoValueAttribute));

    public object? Get(object options) => Property.GetValue(options);

    public void Set(object options, object? value) => Property.SetValue(options, value);
}

/// <summary>The properties of options records that a recipe can set, found once for each type. Thread-safe.</summary>
internal static class OptionsMembers
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<OptionsMember>> Cache = new();

    /// <summary>Public instance properties with a public <c>init</c> or <c>set</c>, in the order of the source.</summary>
    public static IReadOnlyList<OptionsMember> Of(Type type) => Cache.GetOrAdd(type, static found =>
    {
        var nullability = new NullabilityInfoContext();
        return [.. found.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is { IsPublic: true } && property.GetIndexParameters().Length == 0)
            .OrderBy(property => property.MetadataToken)
            .Select(property => new OptionsMember(property, MemberType.Of(nullability.Create(property))))];
    });

    /// <summary>Kebab-case names of an enum's values.</summary>
    public static IReadOnlyList<(string Name, object Value)> EnumNames(Type type)
        => [.. Enum.GetValues(type).Cast<object>().Select(value => (JsonNamingPolicy.KebabCaseLower.ConvertName(value.ToString()!), value))];
}

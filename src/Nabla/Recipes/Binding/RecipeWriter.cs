using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Nabla;

/// <summary>Writes a recipe as YAML with every key, also those that have their default. Reading the text gives an equal recipe.</summary>
public static partial class RecipeWriter
{
    private const int IndentWidth = 2;

    /// <summary>The complete recipe as YAML.</summary>
    /// <param name="recipe">The recipe.</param>
    public static string Write(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var text = new StringBuilder();
        WriteMembers(text, recipe, 0);
        return text.ToString();
    }

    private static void WriteMembers(StringBuilder text, object options, int indent)
    {
        foreach (var member in OptionsMembers.Of(options.GetType()))
        {
            text.Append(' ', indent).Append(Key(member.Key)).Append(':');
            WriteValue(text, member.Type, member.Get(options), indent);
        }
    }

    private static void WriteValue(StringBuilder text, MemberType type, object? value, int indent)
    {
        switch (type.Kind)
        {
            case ValueKind.Record when value is not null && OptionsMembers.Of(type.Type).Count > 0:
                text.Append('\n');
                WriteMembers(text, value, indent + IndentWidth);
                break;
            case ValueKind.Part when value is not null && !RecipeParts.Of(type.Type).IsListItem:
                var parts = RecipeParts.Of(type.Type);
                var (name, options) = parts.Read(value);
                text.Append('\n').Append(' ', indent + IndentWidth).Append(parts.NameKey).Append(": ").Append(Scalar(name)).Append('\n');
                WriteMembers(text, options, indent + IndentWidth);
                break;
            default:
                text.Append(' ').Append(Inline(type, value)).Append('\n');
                break;
        }
    }

    /// <summary>A value on one line, in flow style.</summary>
    private static string Inline(MemberType type, object? value) => (type.Kind, value) switch
    {
        (_, null) => "null",
        (ValueKind.List, System.Collections.IEnumerable items) => $"[{string.Join(", ", items.Cast<object?>().Select(item => Inline(type.Element!, item)))}]",
        (ValueKind.Dictionary, System.Collections.IEnumerable) => InlineDictionary(type, value),
        (ValueKind.Record, _) => InlineRecord(value),
        (ValueKind.Part, _) => InlinePart(type, value),
        (ValueKind.Boolean, true) => "true",
        (ValueKind.Boolean, _) => "false",
        (ValueKind.Integer, Core.AutoValueAttribute.Value) => "auto",
        (ValueKind.Integer, IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture),
        (ValueKind.Number, IFormattable number) => Number(Convert.ToDouble(number, CultureInfo.InvariantCulture)),
        (ValueKind.Enum, _) => Scalar(OptionsMembers.EnumNames(type.Type).First(name => name.Value.Equals(value)).Name),
        _ => Scalar(value.ToString()!),
    };

    private static string InlineRecord(object value)
        => $"{{{string.Join(", ", OptionsMembers.Of(value.GetType()).Select(member => $"{Key(member.Key)}: {Inline(member.Type, member.Get(value))}"))}}}";

    private static string InlinePart(MemberType type, object value)
    {
        var (name, options) = RecipeParts.Of(type.Type).Read(value);
        return OptionsMembers.Of(options.GetType()).Count == 0 ? Scalar(name) : $"{Key(name)}: {InlineRecord(options)}";
    }

    private static string InlineDictionary(MemberType type, object value)
    {
        var pairs = new List<string>();
        foreach (var pair in (System.Collections.IEnumerable)value)
        {
            var pairType = pair.GetType();
            var key = (string)pairType.GetProperty("Key")!.GetValue(pair)!;
            pairs.Add($"{Key(key)}: {Inline(type.Element!, pairType.GetProperty("Value")!.GetValue(pair))}");
        }
        return $"{{{string.Join(", ", pairs)}}}";
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => ".inf",
        double.NegativeInfinity => "-.inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture).Replace('E', 'e'),
    };

    private static string Key(string key) => Scalar(key);

    /// <summary>Text, in double quotes unless it is a plain word that cannot be taken for something else.</summary>
    private static string Scalar(string value)
    {
        if (PlainPattern().IsMatch(value) && !ScalarReader.IsNull(value) && !ScalarReader.TryReadBoolean(value, out _) && !ScalarReader.TryReadDouble(value, out _))
        {
            return value;
        }
        var text = new StringBuilder("\"");
        foreach (var rune in value.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\t' => text.Append("\\t"),
                // Control characters and what YAML takes for line ends or a byte order mark.
                < 0x20 or (>= 0x7F and < 0xA0) or 0x2028 or 0x2029 or 0xFEFF or 0xFFFE or 0xFFFF => text.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}"),
                _ => text.Append(rune.ToString()),
            };
        }
        return text.Append('"').ToString();
    }

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_./-]*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainPattern();
}

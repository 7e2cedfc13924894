using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Fills an options record from named values, as they come out of YAML or JSON.</summary>
internal static class OptionsBinder
{
    /// <summary>A record of <paramref name="type"/> with the given values.</summary>
    /// <exception cref="OptionsException">A name is not known or a value has the wrong type.</exception>
    public static object Bind(string owner, Type type, IReadOnlyDictionary<string, object?> values)
    {
        var options = Activator.CreateInstance(type)!;
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)
            .ToDictionary(property => JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), StringComparer.Ordinal);
        var problems = new List<string>();
        foreach (var (name, value) in values)
        {
            if (!properties.TryGetValue(name, out var property))
            {
                problems.Add($"'{name}' is not an option. {NearestName.Suggest(name, properties.Keys)}");
            }
            else if (Convert(value, property.PropertyType) is { } converted)
            {
                property.SetValue(options, converted);
            }
            else
            {
                problems.Add($"{name}: expected {Describe(property.PropertyType)}, got '{System.Convert.ToString(value, CultureInfo.InvariantCulture)}'.");
            }
        }
        return problems.Count == 0 ? options : throw new OptionsException(owner, problems);
    }

    /// <summary>The value as <paramref name="type"/>, or null when it is none.</summary>
    private static object? Convert(object? value, Type type)
    {
        var text = System.Convert.ToString(value, CultureInfo.InvariantCulture);
        return type switch
        {
            _ when value is null => null,
            _ when type == typeof(int) => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : null,
            _ when type == typeof(double) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null,
            _ when type == typeof(bool) => bool.TryParse(text, out var flag) ? flag : null,
            _ when type == typeof(string) => value as string,
            _ => throw new NotSupportedException($"Options of type {type.Name} cannot be given in a recipe."),
        };
    }

    private static string Describe(Type type) => type == typeof(int) ? "a whole number" : type == typeof(double) ? "a number" : type == typeof(bool) ? "true or false" : "a text";
}

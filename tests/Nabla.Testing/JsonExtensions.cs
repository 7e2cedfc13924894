using System.Text.Json;

namespace Nabla.Testing;

/// <summary>Options of golden cases with defaults.</summary>
public static class JsonExtensions
{
    /// <summary>A number, or <paramref name="fallback"/> when it is absent or null.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="fallback">Value when absent.</param>
    public static double Number(this JsonElement json, string name, double fallback)
        => Get(json, name) is { } value ? GoldenCase.Number(value) : fallback;

    /// <summary>An integer, or <paramref name="fallback"/> when it is absent or null.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="fallback">Value when absent.</param>
    public static long Integer(this JsonElement json, string name, long fallback)
        => Get(json, name) is { } value ? value.GetInt64() : fallback;

    /// <summary>A truth value, or <paramref name="fallback"/> when it is absent or null.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="fallback">Value when absent.</param>
    public static bool Boolean(this JsonElement json, string name, bool fallback)
        => Get(json, name) is { } value ? value.GetBoolean() : fallback;

    /// <summary>A text, or <paramref name="fallback"/> when it is absent or null.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="fallback">Value when absent.</param>
    public static string Text(this JsonElement json, string name, string fallback)
        => Get(json, name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : fallback;

    /// <summary>A list of integers from a list, or a single number repeated <paramref name="count"/> times; null when absent.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    /// <param name="count">Length when a single number stands there.</param>
    public static long[]? Integers(this JsonElement json, string name, int count = 1) => Get(json, name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.Null ? -1 : item.GetInt64())],
        { } value => [.. Enumerable.Repeat(value.GetInt64(), count)],
    };

    /// <summary>The property, or null when it is absent or JSON null.</summary>
    /// <param name="json">An object.</param>
    /// <param name="name">The property.</param>
    public static JsonElement? Get(this JsonElement json, string name)
        => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}

using System.Reflection;

namespace Nabla;

/// <summary>The recipes that come with Nabla, such as <c>shapes</c>; they are inside the assembly, so they work from any folder. Thread-safe.</summary>
public static class BuiltInRecipes
{
    private const string Prefix = "Nabla.Recipes.", Suffix = ".yaml";

    private static Assembly Assembly => typeof(BuiltInRecipes).Assembly;

    /// <summary>All names in alphabetical order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
            .Select(name => name[Prefix.Length..^Suffix.Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The YAML text of a recipe, or null when there is none of this name.</summary>
    /// <param name="name">The name, such as <c>shapes</c>.</param>
    public static string? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        using var stream = Assembly.GetManifestResourceStream(Prefix + name + Suffix);
        if (stream is null)
        {
            return null;
        }
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}

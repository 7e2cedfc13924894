namespace Nabla;

/// <summary>Reads recipes with everything that Nabla brings: the shortest way to one from C#.</summary>
public static class RecipeFile
{
    /// <summary>Reads a recipe.</summary>
    /// <param name="source">Path of a YAML or JSON file, or the name of a built-in recipe such as <c>shapes</c>.</param>
    /// <param name="overrides">Overrides of the form <c>training.epochs=3</c>, applied in order.</param>
    /// <returns>The complete recipe.</returns>
    /// <exception cref="RecipeException">The recipe cannot run; every problem is listed.</exception>
    public static Recipe Load(string source, IReadOnlyList<string>? overrides = null)
        => new RecipeLoader(RecipeRegistries.BuiltIn).Load(source, overrides);
}

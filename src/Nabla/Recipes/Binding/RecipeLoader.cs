using Nabla.Core;

namespace Nabla;

/// <summary>Reads recipes: finds the file or built-in recipe, applies overrides, binds and checks. Thread-safe.</summary>
/// <param name="registry">The names that a recipe may use.</param>
public sealed class RecipeLoader(RecipeRegistry registry)
{
    /// <summary>A recipe file may have so many bytes; more is not a recipe.</summary>
    private const long MaximumBytes = 4 << 20;

    /// <summary>Reads a recipe.</summary>
    /// <param name="source">Path of a YAML or JSON file, or the name of a built-in recipe.</param>
    /// <param name="overrides">Overrides of the form <c>training.epochs=3</c>, applied in order.</param>
    /// <returns>The complete recipe.</returns>
    /// <exception cref="RecipeException">The recipe cannot run; every problem is listed.</exception>
    public Recipe Load(string source, IReadOnlyList<string>? overrides = null) => Check(source, overrides).Require();

    /// <summary>Reads a recipe from text.</summary>
    /// <param name="text">The YAML or JSON text.</param>
    /// <param name="file">Name of the file for messages.</param>
    /// <param name="overrides">Overrides of the form <c>training.epochs=3</c>, applied in order.</param>
    /// <returns>The complete recipe.</returns>
    /// <exception cref="RecipeException">The recipe cannot run; every problem is listed.</exception>
    public Recipe Parse(string text, string file = "recipe.yaml", IReadOnlyList<string>? overrides = null) => CheckText(text, file, overrides).Require();

    /// <summary>Reads a recipe and reports every problem instead of throwing.</summary>
    /// <param name="source">Path of a YAML or JSON file, or the name of a built-in recipe.</param>
    /// <param name="overrides">Overrides of the form <c>training.epochs=3</c>, applied in order.</param>
    public RecipeCheckResult Check(string source, IReadOnlyList<string>? overrides = null)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (!File.Exists(source) && BuiltInRecipes.Find(source) is { } builtIn)
        {
            return CheckText(builtIn, source + ".yaml", overrides);
        }
        string text;
        try
        {
            if (Directory.Exists(source))
            {
                return Unreadable(source, $"This is a folder, not a recipe. {Near(source)}");
            }
            if (!File.Exists(source))
            {
                return Unreadable(source, $"There is no such file and no built-in recipe of this name. {Near(source)}");
            }
            if (new FileInfo(source).Length > MaximumBytes)
            {
                return Unreadable(source, $"The file has more than {MaximumBytes >> 20} MB; this is not a recipe.");
            }
            text = File.ReadAllText(source);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Unreadable(source, $"The file cannot be read: {problem.Message}");
        }
        return CheckText(text, source, overrides, Path.GetDirectoryName(Path.GetFullPath(source)));
    }

    /// <summary>Reads a recipe from text and reports every problem instead of throwing.</summary>
    /// <param name="text">The YAML or JSON text.</param>
    /// <param name="file">Name of the file for messages; its name without extension is the recipe's default name.</param>
    /// <param name="overrides">Overrides of the form <c>training.epochs=3</c>, applied in order.</param>
    /// <param name="folder">Folder that relative data paths start from; null: they are left as they are.</param>
    public RecipeCheckResult CheckText(string text, string file = "recipe.yaml", IReadOnlyList<string>? overrides = null, string? folder = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(file);
        var findings = new List<RecipeFinding>();
        var node = RecipeParser.Parse(text, file, findings);
        if (node is not MappingNode root)
        {
            if (findings.Count == 0)
            {
                var got = node?.Describe() ?? "an empty file";
                findings.Add(new() { File = file, Line = 1, Column = 1, Expected = "keys and values", Got = got, Message = $"expected keys and values such as 'task: image-classification', got {got}." });
            }
            return new(null, findings);
        }
        root = RecipeOverrides.Apply(root, overrides ?? [], findings);
        var binder = new RecipeBinder(registry, findings);
        var recipe = (Recipe)binder.Bind(typeof(Recipe), root);
        if (recipe.Name is null or "")
        {
            recipe = recipe with { Name = DefaultName(file) };
        }
        foreach (var problem in new RecipeRules(registry).Check(recipe, wasRead: findings.Count == 0))
        {
            var place = binder.PlaceOf(problem.Key);
            findings.Add(new() { File = place.File, Line = place.Line, Column = place.Column, Key = problem.Key, Message = problem.Message, Severity = problem.Severity });
        }
        var sorted = Sort(findings, file);
        return sorted.Any(finding => finding.Severity == FindingSeverity.Error)
            ? new(null, sorted)
            : new(recipe with { Data = Locate(recipe.Data, folder) }, sorted);
    }

    private static IReadOnlyList<RecipeFinding> Sort(List<RecipeFinding> findings, string file)
        => [.. findings.Distinct().OrderBy(finding => finding.File == file ? 0 : 1).ThenBy(finding => finding.Line).ThenBy(finding => finding.Column)];

    /// <summary>Makes data paths independent of the current folder; they are meant from the recipe's file.</summary>
    private static DataOptions Locate(DataOptions data, string? folder) => folder is null ? data : data with
    {
        Path = data.Path is null ? null : Path.GetFullPath(data.Path, folder),
        TestPath = data.TestPath is null ? null : Path.GetFullPath(data.TestPath, folder),
    };

    private static string DefaultName(string file)
    {
        var name = Path.GetFileNameWithoutExtension(file);
        return name.Length == 0 ? "recipe" : name;
    }

    private static string Near(string source) => NearestName.Suggest(Path.GetFileNameWithoutExtension(source), [.. BuiltInRecipes.Names]);

    private static RecipeCheckResult Unreadable(string source, string message) => new(null, [new() { File = source, Message = message.TrimEnd() }]);
}

/// <summary>What reading a recipe gave.</summary>
/// <param name="Recipe">The complete recipe; null when it has errors.</param>
/// <param name="Findings">All problems in the order of the file, warnings included.</param>
public sealed record RecipeCheckResult(Recipe? Recipe, IReadOnlyList<RecipeFinding> Findings)
{
    /// <summary>The recipe.</summary>
    /// <exception cref="RecipeException">It has errors.</exception>
    public Recipe Require() => Recipe ?? throw new RecipeException(Findings);
}

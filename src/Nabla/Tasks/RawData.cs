using Nabla.Core;
using Nabla.Data;
using Nabla.Models;

namespace Nabla;

/// <summary>Finds the data that a recipe names and divides it into splits; nothing is encoded yet.</summary>
internal static class RawData
{
    private const double DefaultValidation = 0.1, DefaultTest = 0.2;

    /// <summary>The recipe's data with its splits. The caller owns it.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    /// <exception cref="DataException">The data is missing, damaged, or of another kind than the task.</exception>
    public static LoadedData Load(Recipe recipe, string folder)
    {
        var data = recipe.Data;
        var loaded = data.Dataset is { } name ? LoadSet(recipe, name) : LoadPath(recipe, Path.GetFullPath(data.Path!, folder), folder);
        try
        {
            return loaded.HoldOut(Splits(recipe, loaded));
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>How a table file of the recipe is read.</summary>
    public static TableFileOptions FileOptions(DataOptions data) => new()
    {
        Separator = data.Separator,
        HasHeader = data.HasHeader ?? true,
        Kinds = data.CategoryColumns.ToDictionary(column => column, _ => ColumnKind.Category, StringComparer.Ordinal),
    };

    /// <summary>The columns of a table file that hold the texts and their classes.</summary>
    public static (string Text, string Label) TextColumns(DataOptions data, string path)
    {
        if (data is { TextColumn: { } text, LabelColumn: { } label })
        {
            return (text, label);
        }
        var names = TableFile.Read(path, FileOptions(data)).Names;
        return (Column(path, names, data.TextColumn, "text_column", "text", "sentence"), Column(path, names, data.LabelColumn, "label_column", "label", "class", "sentiment"));
    }

    private static LoadedData LoadSet(Recipe recipe, string name)
    {
        var entry = Catalogue.Find(name);
        var isOtherTable = IsTabular(entry.Task) && IsTabular(recipe.Task) && recipe.Data.Target is not null;
        if (entry.Task != recipe.Task && !isOtherTable)
        {
            throw new DataException($"Data set '{name}' is for {entry.Task}; the recipe's task is {recipe.Task}. Change task, or take a set for it: {string.Join(", ", Catalogue.All.Where(other => other.Task == recipe.Task).Select(other => other.Name))}.");
        }
        if (entry.IsGenerated)
        {
            var shapes = recipe.Data.Shapes ?? new();
            return DataSets.Shapes(recipe.Data.ImageSize is { } size ? shapes with { Size = size } : shapes);
        }
        var loaded = DataSets.Load(name);
        if (loaded is TabularData table && recipe.Data.Target is { } target && target != table.Target)
        {
            _ = table.Train[target]; // named in an error when it is not there
            return table with { Target = target, Task = recipe.Task, Classes = null };
        }
        return loaded;
    }

    private static LoadedData LoadPath(Recipe recipe, string path, string folder)
    {
        var data = recipe.Data;
        var testPath = data.TestPath is null ? null : Path.GetFullPath(data.TestPath, folder);
        switch (recipe.Task)
        {
            case ModelTasks.TabularClassification or ModelTasks.TabularRegression:
                var target = data.Target ?? TableFile.Read(path, FileOptions(data)).Names[^1];
                return TabularData.Read(path, target, recipe.Task == ModelTasks.TabularClassification, FileOptions(data), testPath);
            case ModelTasks.TextClassification:
                var (text, label) = TextColumns(data, path);
                return TextClassificationData.Read(path, text, label, FileOptions(data), testPath);
            case ModelTasks.LanguageModeling when Path.GetExtension(path) == TokenFile.Extension:
                return TokenData.Read(path);
            case ModelTasks.LanguageModeling:
                return data.Lines ? LineData.Read(path) : TextData.Read(path);
            default:
                throw new DataException($"Task '{recipe.Task}' cannot read '{path}'.");
        }
    }

    private static string Column(string path, IReadOnlyList<string> names, string? chosen, string key, params ReadOnlySpan<string> usual)
    {
        if (chosen is not null)
        {
            return chosen;
        }
        foreach (var name in usual)
        {
            if (names.Contains(name))
            {
                return name;
            }
        }
        throw new DataException($"'{path}': expected a column called {string.Join(" or ", usual.ToArray())}, got {string.Join(", ", names)}. Name it with data.{key}.");
    }

    private static SplitOptions Splits(Recipe recipe, LoadedData loaded)
    {
        var data = recipe.Data;
        var (hasValidation, hasTest) = (loaded.Counts.ContainsKey("validation"), loaded.Counts.ContainsKey("test"));
        var isText = loaded is TextData or TokenData;
        var classes = recipe.Task is ModelTasks.ImageClassification or ModelTasks.TextClassification or ModelTasks.TabularClassification;
        // A running text is always cut from its end, whatever the method is called.
        var method = isText ? SplitMethod.Random : data.Split ?? (classes ? SplitMethod.Stratified : SplitMethod.Random);
        if (method == SplitMethod.Time && data.TimeColumn is null)
        {
            throw new DataException($"{loaded.Name}: data.split is time, so data.time_column must name the column that orders the rows.");
        }
        return new()
        {
            // A split that the publisher made is kept, unless the recipe wants none; a running text is cut as the recipe says.
            Validation = hasValidation && !isText && data.Validation != 0 ? null : data.Validation ?? DefaultValidation,
            Test = hasTest ? (data.Test == 0 ? 0 : null) : data.Test ?? (recipe.Task == ModelTasks.LanguageModeling ? 0 : DefaultTest),
            Strategy = method.ToString().ToLowerInvariant(),
            Column = method switch { SplitMethod.Group => data.GroupColumn, SplitMethod.Time => data.TimeColumn, _ => null },
            Seed = data.SplitSeed ?? recipe.Seed,
        };
    }

    private static bool IsTabular(string task) => task is ModelTasks.TabularClassification or ModelTasks.TabularRegression;
}

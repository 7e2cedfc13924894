namespace Nabla;

/// <summary>
/// The names that a recipe may use: tasks, data sets, model families, augmentations and so on. The recipe layer knows them only
/// through this, so that it depends on no family and no data set, and tests can bring their own. Thread-safe.
/// </summary>
public sealed record RecipeRegistry
{
    /// <summary>Kinds of problem, the values of <c>task</c>, with what each is.</summary>
    public IReadOnlyList<RecipeName> Tasks { get; init; } = [];

    /// <summary>Catalogued data sets, the values of <c>data.dataset</c>.</summary>
    public IReadOnlyList<RecipeName> DataSets { get; init; } = [];

    /// <summary>Model families, the values of <c>model.family</c>.</summary>
    public IReadOnlyList<RecipePart> Families { get; init; } = [];

    /// <summary>Augmentations, the items of <c>data.augment</c>.</summary>
    public IReadOnlyList<RecipePart> Augmentations { get; init; } = [];

    /// <summary>Metrics, the items of <c>metrics</c> and, after the split, the values of <c>monitor</c>.</summary>
    public IReadOnlyList<RecipeName> Metrics { get; init; } = [];

    /// <summary>Valid names of other keys by their path, such as <c>training.optimizer.name</c>; a path that is not here takes any text.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<RecipeName>> Names { get; init; } = new Dictionary<string, IReadOnlyList<RecipeName>>();

    /// <summary>Further checks of a whole recipe, such as those of one optimiser's options; run when every key could be read.</summary>
    public IReadOnlyList<Func<Recipe, IEnumerable<RecipeProblem>>> Checks { get; init; } = [];

    /// <summary>The names that may stand at a path, or null when any text may.</summary>
    internal IReadOnlyList<RecipeName>? NamesAt(string path) => path switch
    {
        "task" => NullIfEmpty(Tasks),
        "data.dataset" => NullIfEmpty(DataSets),
        "metrics[]" => NullIfEmpty(Metrics),
        _ => Names.GetValueOrDefault(path),
    };

    private static IReadOnlyList<RecipeName>? NullIfEmpty(IReadOnlyList<RecipeName> names) => names.Count == 0 ? null : names;
}

/// <summary>A name that a recipe may use.</summary>
/// <param name="Name">The name, kebab-case.</param>
/// <param name="Description">What it is, in one line; shown by editors.</param>
public sealed record RecipeName(string Name, string Description = "");

/// <summary>A part that a recipe chooses by name and that has options of its own, such as a model family or an augmentation.</summary>
/// <param name="Name">The name, kebab-case.</param>
/// <param name="OptionsType">Its options: a record with init properties, defaults and a <c>Validate()</c>.</param>
/// <param name="Description">What it is, in one line; shown by editors.</param>
public sealed record RecipePart(string Name, Type OptionsType, string Description = "")
{
    /// <summary>The tasks it can be used for; empty: all.</summary>
    public IReadOnlyList<string> Tasks { get; init; } = [];
}

/// <summary>A problem that a check of a whole recipe found.</summary>
/// <param name="Key">Path of the key it belongs to, such as <c>training.optimizer.momentum</c>.</param>
/// <param name="Message">What is wrong and what to do.</param>
/// <param name="Severity">How much it matters.</param>
public sealed record RecipeProblem(string Key, string Message, FindingSeverity Severity = FindingSeverity.Error);

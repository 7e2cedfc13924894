namespace Nabla.Models;

/// <summary>A kind of model: its name in a recipe, its options, the tasks it can do, and how one is made.</summary>
public sealed class ModelFamily
{
    private readonly Func<object, ModelInput, Model> _create;
    private readonly Func<object> _defaults;

    private ModelFamily(string name, string title, string source, Type optionsType, IReadOnlyList<string> tasks, WorkKind work, Func<object> defaults, Func<object, ModelInput, Model> create)
    {
        (Name, Title, Source, OptionsType, Tasks, Work) = (name, title, source, optionsType, tasks, work);
        (_defaults, _create) = (defaults, create);
    }

    /// <summary>Name in a recipe, kebab-case, such as <c>text-cnn</c>.</summary>
    public string Name { get; }

    /// <summary>What it is, in a few words, such as <c>Convolutional network for text</c>.</summary>
    public string Title { get; }

    /// <summary>The paper it comes from.</summary>
    public string Source { get; }

    /// <summary>Type of its options, a record whose properties all have defaults.</summary>
    public Type OptionsType { get; }

    /// <summary>The tasks it can do, of <see cref="ModelTasks.All"/>.</summary>
    public IReadOnlyList<string> Tasks { get; }

    /// <summary>What most of its arithmetic is, which decides what precision <c>auto</c> means.</summary>
    public WorkKind Work { get; }

    /// <summary>Whether its models take rows in which several texts are packed (<see cref="ModelBatch.Documents"/>).</summary>
    public bool TakesPackedRows { get; private init; }

    /// <summary>Declares a family.</summary>
    /// <typeparam name="TOptions">Type of its options.</typeparam>
    /// <param name="name">Name in a recipe, kebab-case.</param>
    /// <param name="title">What it is, in a few words.</param>
    /// <param name="source">The paper it comes from.</param>
    /// <param name="tasks">The tasks it can do.</param>
    /// <param name="create">Makes a model; it validates the options.</param>
    /// <param name="work">What most of its arithmetic is. Default: matrix products.</param>
    /// <param name="takesPackedRows">Whether its models take packed rows.</param>
    public static ModelFamily Define<TOptions>(
        string name, string title, string source, IReadOnlyList<string> tasks, Func<TOptions, ModelInput, Model> create, WorkKind work = WorkKind.Products, bool takesPackedRows = false)
        where TOptions : class, new()
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(create);
        return new(name, title, source, typeof(TOptions), tasks, work, () => new TOptions(), (options, input) => create((TOptions)options, input)) { TakesPackedRows = takesPackedRows };
    }

    /// <summary>The options with all defaults.</summary>
    public object CreateOptions() => _defaults();

    /// <summary>Makes a model with weights from torch's global generator. The caller owns it.</summary>
    /// <param name="options">Options of type <see cref="OptionsType"/>; null: all defaults.</param>
    /// <param name="input">Sizes of the data.</param>
    /// <exception cref="ArgumentException">The options are of another family.</exception>
    /// <exception cref="OptionsException">The options or sizes cannot work, or the family cannot do the task.</exception>
    public Model Create(object? options, ModelInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        options ??= CreateOptions();
        if (!OptionsType.IsInstanceOfType(options))
        {
            throw new ArgumentException($"ModelFamily.Create: family '{Name}' takes {OptionsType.Name}, got {options.GetType().Name}. Bind the recipe's model part to ModelFamily.OptionsType.", nameof(options));
        }
        OptionsCheck.For(input)
            .OneOf("task", input.Task, ModelTasks.All)
            .Require(
                !ModelTasks.All.Contains(input.Task) || Tasks.Contains(input.Task),
                $"Family '{Name}' cannot do {input.Task}; it does {string.Join(", ", Tasks)}. Families for {input.Task}: {string.Join(", ", ModelFamilies.For(input.Task).Select(family => family.Name))}.")
            .ThrowIfAny();
        return _create(options, input);
    }
}

namespace Nabla;

/// <summary>The records of a recipe whose options depend on a name: which key holds the name, and where the names are registered.</summary>
internal sealed record RecipeParts(Type Type, string NameKey, string Noun, bool IsListItem, Func<RecipeRegistry, IReadOnlyList<RecipePart>> Registered, Func<string, object, object> Create, Func<object, (string Name, object Options)> Read)
{
    private static readonly RecipeParts[] All =
    [
        new(typeof(ModelSelection), "family", "model family", IsListItem: false, registry => registry.Families,
            (name, options) => new ModelSelection { Family = name, Options = options },
            part => (((ModelSelection)part).Family, ((ModelSelection)part).Options)),
        new(typeof(AugmentationSelection), "name", "augmentation", IsListItem: true, registry => registry.Augmentations,
            (name, options) => new AugmentationSelection { Name = name, Options = options },
            part => (((AugmentationSelection)part).Name, ((AugmentationSelection)part).Options)),
    ];

    /// <summary>Whether the options of a type depend on a name.</summary>
    public static bool IsPart(Type type) => Array.Exists(All, part => part.Type == type);

    /// <summary>How a type's name and options are written.</summary>
    public static RecipeParts Of(Type type) => Array.Find(All, part => part.Type == type)!;
}

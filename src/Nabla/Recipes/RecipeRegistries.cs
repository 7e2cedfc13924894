namespace Nabla;

/// <summary>The names that recipes may use with this build of Nabla. Thread-safe.</summary>
public static class RecipeRegistries
{
    private static readonly Lazy<RecipeRegistry> Names = new(() => new RecipeRegistry());

    /// <summary>Everything that Nabla brings: tasks, data sets, families, augmentations, optimisers, schedules, losses, metrics.</summary>
    public static RecipeRegistry BuiltIn => Names.Value;
}

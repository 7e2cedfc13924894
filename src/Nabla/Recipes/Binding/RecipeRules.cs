using Nabla.Core;

namespace Nabla;

/// <summary>The rules that hold between parts of a recipe: task and family, metrics that are watched, names from outside.</summary>
internal sealed class RecipeRules(RecipeRegistry registry)
{
    /// <summary>Valid splits in metric names (design, section 4.3).</summary>
    private static readonly string[] Splits = ["train", "validation", "test"];

    /// <summary>Every problem between parts.</summary>
    /// <param name="recipe">The recipe; parts of it may be missing when <paramref name="wasRead"/> is false.</param>
    /// <param name="wasRead">Whether every key could be read.</param>
    public IEnumerable<RecipeProblem> Check(Recipe recipe, bool wasRead)
    {
        var family = recipe.Model is null ? null : registry.Families.FirstOrDefault(part => part.Name == recipe.Model.Family);
        if (family is { Tasks.Count: > 0 } && recipe.Task is not null && registry.Tasks.Any(task => task.Name == recipe.Task) && !family.Tasks.Contains(recipe.Task))
        {
            var fitting = registry.Families.Where(part => part.Tasks.Count == 0 || part.Tasks.Contains(recipe.Task)).Select(part => part.Name);
            yield return new("model.family", $"the family '{family.Name}' does {string.Join(", ", family.Tasks)}, but the task is {recipe.Task}. Families for {recipe.Task}: {string.Join(", ", fitting)}.");
        }
        foreach (var problem in Monitor("training.early_stopping.monitor", recipe.Training?.EarlyStopping?.Monitor)
            .Concat(Monitor("training.checkpoints.monitor", recipe.Training?.Checkpoints?.Monitor)))
        {
            yield return problem;
        }
        foreach (var augmentation in recipe.Data?.Augment?.Select((value, index) => (value, index)) ?? [])
        {
            var part = augmentation.value is null ? null : registry.Augmentations.FirstOrDefault(candidate => candidate.Name == augmentation.value.Name);
            if (part is { Tasks.Count: > 0 } && recipe.Task is not null && !part.Tasks.Contains(recipe.Task))
            {
                yield return new($"data.augment[{augmentation.index}]", $"the augmentation '{part.Name}' is for {string.Join(", ", part.Tasks)}, but the task is {recipe.Task}. Remove it.");
            }
        }
        if (wasRead)
        {
            foreach (var problem in registry.Checks.SelectMany(check => check(recipe)))
            {
                yield return problem;
            }
        }
    }

    private IEnumerable<RecipeProblem> Monitor(string key, string? monitor)
    {
        if (monitor?.Split('/') is not [var split, var metric])
        {
            yield break; // the options' own check says that the form is split/metric
        }
        if (!Splits.Contains(split))
        {
            yield return new(key, $"'{split}' is not a known split. {NearestName.Suggest(split, Splits)}");
        }
        string[] metrics = ["loss", .. registry.Metrics.Select(name => name.Name)];
        if (metrics.Length > 1 && !metrics.Contains(metric))
        {
            yield return new(key, $"'{metric}' is not a known metric. {NearestName.Suggest(metric, metrics)}");
        }
    }
}

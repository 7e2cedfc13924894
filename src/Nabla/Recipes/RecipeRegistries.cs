using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Nn;
using Nabla.Training;

namespace Nabla;

/// <summary>The names that recipes may use with this build of Nabla. Thread-safe.</summary>
public static class RecipeRegistries
{
    /// <summary>MetricFactory takes topK-accuracy with any K; these are the ones in use.</summary>
    private static readonly string[] OtherTopAccuracies = ["top2-accuracy", "top3-accuracy", "top10-accuracy"];

    private static readonly Lazy<RecipeRegistry> Names = new(Create);

    /// <summary>Everything that Nabla brings: tasks, data sets, families, augmentations, optimisers, schedules, losses, metrics.</summary>
    public static RecipeRegistry BuiltIn => Names.Value;

    private static RecipeRegistry Create() => new()
    {
        Tasks =
        [
            new(ModelTasks.ImageClassification, "A picture belongs to one of some classes."),
            new(ModelTasks.TextClassification, "A text belongs to one of some classes."),
            new(ModelTasks.TabularClassification, "A row of a table belongs to one of some classes."),
            new(ModelTasks.TabularRegression, "A row of a table has a number as its answer."),
            new(ModelTasks.LanguageModeling, "Each token of a text is predicted from those before it."),
        ],
        DataSets = [.. Catalogue.All.Select(entry => new RecipeName(entry.Name, entry.Title))],
        Families = [.. ModelFamilies.All.Select(family => new RecipePart(family.Name, family.OptionsType, $"{family.Title}. {family.Source}") { Tasks = family.Tasks })],
        Augmentations = [.. Augmentations.Names.Select(name => new RecipePart(name, Augmentations.OptionsTypeOf(name)) { Tasks = [ModelTasks.ImageClassification] })],
        Metrics = [.. MetricFactory.Names.Concat(OtherTopAccuracies).Distinct().Select(name => new RecipeName(name))],
        Names = new Dictionary<string, IReadOnlyList<RecipeName>>
        {
            ["training.optimizer.name"] = [.. OptimizerFactory.Names.Select(name => new RecipeName(name))],
            ["training.schedule.name"] = [.. ScheduleFactory.Names.Select(name => new RecipeName(name))],
            ["training.schedule.parts[].name"] = [.. ScheduleFactory.Names.Select(name => new RecipeName(name))],
            ["loss.name"] = [.. Losses.Names.Select(name => new RecipeName(name))],
        },
        Checks = [CheckOptimizer, CheckDataSet],
    };

    /// <summary>What belongs to one optimiser only, such as <c>extra</c>.</summary>
    private static IEnumerable<RecipeProblem> CheckOptimizer(Recipe recipe)
    {
        const string Path = "training.optimizer";
        try
        {
            OptimizerFactory.Validate(recipe.Training.Optimizer);
            return [];
        }
        catch (OptionsException problem)
        {
            var members = OptionsMembers.Of(typeof(Training.OptimizerOptions));
            return [.. problem.Problems.Select(text => new RecipeProblem(
                RecipeBinder.KeyOf(text, members) is { } key ? $"{Path}.{key}"
                : recipe.Training.Optimizer.Extra?.Keys.FirstOrDefault(extra => text.Contains($"'{extra}'", StringComparison.Ordinal)) is { } name ? $"{Path}.extra.{name}"
                : Path,
                text))];
        }
    }

    /// <summary>A table is no picture: the kind of the catalogued data must be the kind of the task.</summary>
    private static IEnumerable<RecipeProblem> CheckDataSet(Recipe recipe)
    {
        if (recipe.Data.Dataset is { } name && Catalogue.All.FirstOrDefault(entry => entry.Name == name) is { } entry && KindOf(entry.Task) != KindOf(recipe.Task))
        {
            var fitting = Catalogue.All.Where(other => KindOf(other.Task) == KindOf(recipe.Task)).Select(other => other.Name);
            yield return new("data.dataset", $"the data set '{name}' is for {entry.Task}, but the task is {recipe.Task}. Data sets for it: {string.Join(", ", fitting)}.");
        }
    }

    private static string KindOf(string task) => task.Split('-')[0] is "language" ? "text" : task.Split('-')[0];
}

using Nabla.Core;
using Nabla.Data;
using Nabla.Models;
using Nabla.Nn;
using Nabla.Training;

namespace Nabla;

/// <summary>Builds the model, the loss and the metrics of a recipe.</summary>
internal static class ModelBuilding
{
    /// <summary>The recipe's model with initial weights that the seed fixes. The caller owns it.</summary>
    public static Model CreateModel(Recipe recipe, ModelInput input)
    {
        Seeds.SetGlobal(recipe.Seed, RandomPurpose.Initialization);
        return ModelFamilies.Create(recipe.Model.Family, WithDropout(recipe), input);
    }

    /// <summary>What the trainer trains. It takes over the model.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="model">The model.</param>
    /// <param name="preprocessing">The fitted encoders.</param>
    public static ModelTask CreateTask(Recipe recipe, Model model, Preprocessing preprocessing)
    {
        var classes = preprocessing.Classes.Count;
        var decode = preprocessing.Table is { } table ? TablePreparation.Decoder(TableEncoder.FromJson(table.GetRawText())) : null;
        return new(model, Losses.Create(Loss(recipe)), split => Metrics(recipe, classes, split), decode);
    }

    /// <summary>
    /// The metrics of a recipe: those it names, else those of its task. The training split is measured step by step, so it has only the
    /// most telling one and what a monitor watches.
    /// </summary>
    public static IReadOnlyList<Metric> Metrics(Recipe recipe, int classes, string split)
    {
        // The report counts the confusion matrix itself; as a number it would be the accuracy once more.
        var names = recipe.Metrics?.Where(name => name != "loss").ToList() ?? [.. MetricDefaults.For(recipe.Task, classes).Where(name => name != "confusion-matrix")];
        if (split == "train")
        {
            var watched = new[] { recipe.Training.Checkpoints.Monitor, recipe.Training.EarlyStopping?.Monitor };
            names = [.. names.Where((name, place) => place == 0 || watched.Contains($"train/{name}"))];
        }
        return [.. names.Select(name => MetricFactory.Create(name, classes))];
    }

    /// <summary>The options of the recipe's model, with the dropout of <c>training.regularization</c> where that is given.</summary>
    private static object WithDropout(Recipe recipe)
    {
        var options = recipe.Model.Options;
        if (recipe.Training.Regularization.Dropout is not { } dropout)
        {
            return options;
        }
        var member = OptionsMembers.Of(options.GetType()).FirstOrDefault(member => member.Key == "dropout")
            ?? throw new OptionsException("training.regularization", [$"dropout is {dropout}, but the family {recipe.Model.Family} has no dropout. Leave it out, or take another family."]);
        var copy = RecordCopy.Of(options);
        member.Set(copy, dropout);
        return copy;
    }

    /// <summary>The recipe's loss, else that of its task; label smoothing may stand with the other regularisation.</summary>
    private static LossOptions Loss(Recipe recipe)
    {
        var loss = recipe.Loss ?? new LossOptions { Name = recipe.Task == ModelTasks.TabularRegression ? "mse" : "cross-entropy" };
        var smoothing = recipe.Training.Regularization.LabelSmoothing;
        return smoothing > 0 && loss.LabelSmoothing == 0 ? loss with { LabelSmoothing = smoothing } : loss;
    }
}

/// <summary>Copies options records whose type is known at run time only.</summary>
internal static class RecordCopy
{
    /// <summary>A copy of a record, as <c>record with { }</c> makes it.</summary>
    public static object Of(object record)
        => record.GetType().GetMethod("<Clone>$")?.Invoke(record, null)
            ?? throw new ArgumentException($"{record.GetType().Name} is not a record; options are records.", nameof(record));
}

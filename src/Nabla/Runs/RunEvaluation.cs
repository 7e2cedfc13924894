using Nabla.Core;
using Nabla.Data;
using Nabla.Training;

namespace Nabla;

/// <summary>Measures the best checkpoint of a run on one of its own splits or on other labelled data.</summary>
public sealed record RunEvaluation
{
    /// <summary>The run folder.</summary>
    public required string Run { get; init; }

    /// <summary>The split, or the path of other data.</summary>
    public required string Split { get; init; }

    /// <summary>Number of examples (windows or lines for a language model).</summary>
    public required long Examples { get; init; }

    /// <summary>Values by <c>split/metric</c>; other data counts as <c>test</c>.</summary>
    public required IReadOnlyDictionary<string, double> Metrics { get; init; }

    /// <summary>Evaluates a split of the run's own data, which must be the data it was trained with.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="split">train, validation or test; null: test where there is one, else validation.</param>
    /// <param name="device">Device: auto, cpu, cuda or cuda:n.</param>
    /// <exception cref="NablaException">The run cannot be opened, its data has changed, or it has no such split.</exception>
    public static Task<RunEvaluation> OnSplitAsync(string folder, string? split = null, string device = "auto") => TrainingRun.OnOwnThread(() =>
    {
        using var run = OpenedRun.Open(folder, device);
        using var data = DataPreparation.Prepare(run.Recipe, Environment.CurrentDirectory);
        var expected = run.Folder.ReadEnvironment().DataHashes.GetValueOrDefault(data.Facts.Name);
        if (expected is not null && expected != data.Facts.ContentHash)
        {
            throw new DataException($"'{data.Facts.Name}': expected the data that the run was trained with ({expected}), got {data.Facts.ContentHash}. Restore the data, or give it with --data.");
        }
        var chosen = split ?? (data.Test is not null ? "test" : "validation");
        var source = data.Split(chosen) ?? throw new DataException($"Split '{chosen}' has no examples in this run; it has {string.Join(", ", data.Splits)}.");
        // Windows of a training text overlap; they are evaluated once over.
        return Measure(run, source, chosen, chosen, chosen == "train" ? data.TrainExamplesPerEpoch : null);
    });

    /// <summary>Evaluates other labelled data of the kind that the run was trained on.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="path">A folder of pictures with one folder a class, a table with the target column, labelled texts, or a text.</param>
    /// <param name="device">Device: auto, cpu, cuda or cuda:n.</param>
    /// <exception cref="NablaException">The run cannot be opened, or the data does not fit; the message says what the run was trained on.</exception>
    public static Task<RunEvaluation> OnDataAsync(string folder, string path, string device = "auto") => TrainingRun.OnOwnThread(() =>
    {
        using var run = OpenedRun.Open(folder, device);
        try
        {
            var source = LabelledInput.Open(path, run.Recipe, run.Preprocessing);
            using var owner = source as IDisposable;
            return Measure(run, source, path, "test", null);
        }
        catch (DataException cause)
        {
            throw new DataException($"{cause.Message} This run was trained on {run.Preprocessing.TrainedOn}.", cause);
        }
    });

    private static RunEvaluation Measure(OpenedRun run, IBatchSource source, string name, string split, long? examples)
    {
        var threads = get_num_threads();
        set_num_threads(run.Recipe.Training.Threads ?? threads);
        try
        {
            var loader = examples is null ? RunLoaders.Evaluation(source, run.Recipe, isPinned: run.Device.type == DeviceType.CUDA) : new Data.DataLoader(source, new() { BatchSize = run.Recipe.Training.BatchSize, Shuffle = true, Seed = run.Recipe.Seed, ExamplesPerEpoch = examples });
            var task = ModelBuilding.CreateTask(run.Recipe, run.Model, run.Preprocessing); // the run owns the model
            var result = new Trainer(run.Recipe.Training).Evaluate(task, loader, split, run.Device);
            return new() { Run = run.Folder.FullPath, Split = name, Examples = result.Examples, Metrics = result.Metrics };
        }
        finally
        {
            set_num_threads(threads);
        }
    }
}

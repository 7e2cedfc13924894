using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>
/// A recipe from data to report: prepares the data, builds the model, trains it into a run folder, evaluates the best checkpoint and
/// writes the report. All computing of a run happens on one thread of its own.
/// </summary>
public sealed class TrainingRun
{
    private const string RunsVariable = "NABLA_RUNS", DefaultRoot = "runs";
    private readonly TrainingRunOptions _options;
    private readonly ILogger _logger;
    private Recipe _recipe; // as stored; a batch size that is auto becomes a number
    private readonly RunFolder _folder;
    private readonly bool _isResumed;

    private TrainingRun(Recipe recipe, RunFolder folder, TrainingRunOptions options, bool isResumed)
    {
        (_recipe, _folder, _options, _isResumed) = (recipe, folder, options, isResumed);
        _logger = options.Logging?.CreateLogger("Nabla.Run") ?? NullLogger.Instance;
    }

    /// <summary>Trains a recipe in a new run folder.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="options">Where and how; null: all defaults.</param>
    /// <param name="cancellationToken">Ends training after the step in hand, with a checkpoint; the result says so.</param>
    /// <exception cref="NablaException">Data, device or folder cannot be used, or training failed; checkpoints that were written stay whole. A run that was refused before its first step leaves no folder.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before the first step.</exception>
    public static Task<RunResult> StartAsync(Recipe recipe, TrainingRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        options ??= new();
        return OnOwnThread(() =>
        {
            NablaRuntime.EnsureLoaded();
            var device = Devices.Parse(options.Device);
            var resolved = Resolve(recipe, device);
            cancellationToken.ThrowIfCancellationRequested();
            var folder = RunFolder.Create(options.OutputFolder ?? Environment.GetEnvironmentVariable(RunsVariable) ?? DefaultRoot, recipe.Name, options.Time, options.FolderChosen);
            try
            {
                folder.WriteRecipe(RecipeWriter.Write(resolved));
                options.FolderReady?.Invoke(folder.FullPath);
                return new TrainingRun(resolved, folder, options, isResumed: false).Run(device, cancellationToken);
            }
            catch
            {
                RunFolder.DiscardUnlessBegun(folder.FullPath);
                throw;
            }
        });
    }

    /// <summary>Goes on with a run that was interrupted or killed, from its newest whole checkpoint; from its start when it has none.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="options">Where and how; its output folder is not used. Null: all defaults.</param>
    /// <param name="cancellationToken">Ends training after the step in hand, with a checkpoint; the result says so.</param>
    /// <exception cref="NablaException">The folder is no run or is damaged, its data has changed, or training failed.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled before its next step.</exception>
    public static Task<RunResult> ResumeAsync(string folder, TrainingRunOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new();
        return OnOwnThread(() =>
        {
            NablaRuntime.EnsureLoaded();
            var run = RunFolder.Open(folder);
            StoredFiles.Check(run);
            if (File.Exists(Path.Combine(run.FullPath, Preprocessing.FileName)))
            {
                _ = Preprocessing.Load(run.FullPath); // refuses what a newer version wrote, before this one writes over it
            }
            options.FolderReady?.Invoke(run.FullPath);
            return new TrainingRun(StoredRecipe.Load(run), run, options, isResumed: true).Run(Devices.Parse(options.Device), cancellationToken);
        });
    }

    private RunResult Run(Device device, CancellationToken stop)
    {
        var start = _options.Time.GetTimestamp();
        var threads = get_num_threads();
        try
        {
            set_num_threads(_recipe.Training.Threads!.Value);
            using var data = DataPreparation.Prepare(_recipe, Environment.CurrentDirectory);
            CheckSameData(data);
            stop.ThrowIfCancellationRequested();
            using var task = ModelBuilding.CreateTask(_recipe, ModelBuilding.CreateModel(_recipe, data.Preprocessing.Model), data.Preprocessing);
            var summary = Summarize(task.Model, data);
            stop.ThrowIfCancellationRequested();
            ResolveBatchSize(task, data, device);
            WriteFacts(data, device);
            RunLoaders loaders = new(_recipe, data, device);
            _options.Started?.Invoke(Announce(task, data, loaders, device));
            stop.ThrowIfCancellationRequested();
            Trainer trainer = new(_recipe.Training, _options.Logging?.CreateLogger<Trainer>(), _options.Time);
            using var profiler = _options.Profile is { } profile ? new TrainingProfiler(profile) : null;
            TrainerContext context = new()
            {
                Folder = _folder,
                Device = device,
                Seed = _recipe.Seed,
                Callbacks = _options.Callbacks,
                Progress = _options.Progress,
                Profiler = profiler,
                Resume = _isResumed,
                ParameterMap = _options.ParameterMap,
            };
            var result = trainer.Fit(task, loaders.Train, loaders.Validation, context, stop);
            var (metrics, reason) = End();
            return new() { Folder = _folder.FullPath, Metrics = metrics, StopReason = reason, Profile = profiler?.Report, Elapsed = _options.Time.GetElapsedTime(start) };

            (IReadOnlyDictionary<string, double>, StopReason) End()
            {
                try
                {
                    return (RunEnding.Complete(_recipe, _folder, trainer, task, data, loaders, summary, result, device, _logger, stop), result.StopReason);
                }
                catch (OperationCanceledException) when (stop.IsCancellationRequested)
                {
                    return (result.Metrics, StopReason.Interrupted); // all is trained and saved; the evaluation comes when the run goes on
                }
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    /// <summary>What "auto" means here, so that a resumed run computes the same way wherever it goes on.</summary>
    private static Recipe Resolve(Recipe recipe, Device device) => recipe with
    {
        Training = recipe.Training with
        {
            Precision = PrecisionPolicy.Resolve(recipe.Training.Precision, device, ModelFamilies.Find(recipe.Model.Family).Work).Name,
            Threads = recipe.Training.Threads ?? Environment.ProcessorCount,
        },
    };

    /// <summary>Finds the batch size where it is auto, and stores it, so that a resumed run and a reader of the recipe have the number.</summary>
    private void ResolveBatchSize(ModelTask task, PreparedData data, Device device)
    {
        if (!_recipe.Training.IsBatchSizeAuto)
        {
            return;
        }
        task.Module.to(device);
        var finder = new BatchSizeFinder(_recipe.Training, _options.Logging?.CreateLogger<BatchSizeFinder>(), _options.Memory);
        var size = finder.Find(task, data.Train, new() { Device = device, Seed = _recipe.Seed }, data.TrainExamplesPerEpoch ?? data.Train.Count);
        _recipe = _recipe with { Training = _recipe.Training with { BatchSize = size } };
        _folder.WriteRecipe(RecipeWriter.Write(_recipe));
    }

    /// <summary>A resumed run must see the data it began with: the chain from data to answers would break.</summary>
    private void CheckSameData(PreparedData data)
    {
        if (!_isResumed || !File.Exists(_folder.EnvironmentPath))
        {
            return;
        }
        var before = _folder.ReadEnvironment().DataHashes.GetValueOrDefault(data.Facts.Name);
        if (before is not null && before != data.Facts.ContentHash)
        {
            throw new DataException($"'{data.Facts.Name}': expected the data that run {_folder.Id} began with ({before}), got {data.Facts.ContentHash}. Restore the data, or start a new run on the new data.");
        }
    }

    private void WriteFacts(PreparedData data, Device device)
    {
        data.Preprocessing.Save(_folder.FullPath);
        var environment = RunEnvironment.Capture(device, _recipe.Seed, new Dictionary<string, string> { [data.Facts.Name] = data.Facts.ContentHash });
        _folder.WriteEnvironment(environment with { Files = StoredFiles.Sums(_folder) });
    }

    private RunStarted Announce(ModelTask task, PreparedData data, RunLoaders loaders, Device device) => new()
    {
        Recipe = _recipe,
        Folder = _folder.FullPath,
        Parameters = task.Model.ParameterCount,
        Device = Devices.NameOf(device),
        Precision = _recipe.Training.Precision,
        Data = data.Facts.Name,
        Examples = loaders.Train.ExamplesPerEpoch ?? data.Train.Count,
        Steps = loaders.PlannedSteps(_recipe.Training),
        Warnings = data.Facts.Warnings,
    };

    /// <summary>Layers, shapes and sizes, from one example; it draws no random number.</summary>
    private static ModelSummary Summarize(Model model, PreparedData data)
    {
        using var batch = data.Train.Read([0]);
        return ModelSummary.Of(model, ModelTask.ToModelBatch(batch));
    }

    /// <summary>Scopes and gradient modes belong to a thread, so a run has one of its own.</summary>
    internal static Task<T> OnOwnThread<T>(Func<T> work)
        => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default);
}

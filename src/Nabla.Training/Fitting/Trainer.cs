using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// Trains and evaluates a <see cref="TrainingTask"/>. Holds no state between calls. Computing is synchronous on the calling thread, as tensor
/// scopes belong to a thread; <see cref="FitAsync"/> gives it a thread of its own. Torch's random generator belongs to the process, so exact
/// repetition needs one training at a time in a process.
/// </summary>
/// <example><code>var result = new Trainer(new() { Epochs = 3 }).Fit(task, trainLoader, validationLoader);</code></example>
public sealed class Trainer
{
    private const int SanityBatches = 3; // fast_dev_run: enough for a first, a middle and a last one
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CheckpointFiles _files;

    /// <summary>Creates a trainer.</summary>
    /// <param name="options">How to train.</param>
    /// <param name="logger">Information once an epoch, Debug for steps; null: none.</param>
    /// <param name="time">Clock; null: the system's.</param>
    /// <exception cref="OptionsException">An option cannot work; all problems are listed.</exception>
    public Trainer(TrainingOptions options, ILogger? logger = null, TimeProvider? time = null)
        : this(options, logger, time, new())
    {
    }

    internal Trainer(TrainingOptions options, ILogger? logger, TimeProvider? time, CheckpointFiles files)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        options.Optimizer.Validate();
        OptimizerFactory.Validate(options.Optimizer);
        ScheduleFactory.Validate(options.Schedule);
        options.Averaging?.Validate();
        options.Sam?.Validate();
        options.Regularization.Validate();
        options.EarlyStopping?.Validate();
        options.Checkpoints.Validate();
        options.NonFinite.Validate();
        (Options, _logger, _time, _files) = (options, logger ?? NullLogger.Instance, time ?? TimeProvider.System, files);
    }

    /// <summary>How to train.</summary>
    public TrainingOptions Options { get; }

    /// <summary>Trains until the epochs are done or something ends it before. The module then holds the last weights.</summary>
    /// <param name="task">What to train; its module is moved to the context's device.</param>
    /// <param name="train">Training batches.</param>
    /// <param name="validation">Validation batches, or null.</param>
    /// <param name="context">Run folder, device, seed, callbacks; null: the defaults.</param>
    /// <param name="stop">Asks to finish the step, save a checkpoint and return with <see cref="StopReason.Interrupted"/>.</param>
    /// <param name="abort">Leaves at once; the last checkpoint is whole.</param>
    /// <exception cref="TrainingException">A loss or gradient is not finite, the native library refuses a batch, or options, task and data do not fit.</exception>
    /// <exception cref="CheckpointException">The run folder is locked, full, read-only or damaged, or belongs to another run.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="abort"/> was requested.</exception>
    public TrainingResult Fit(
        TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, TrainerContext? context = null,
        CancellationToken stop = default, CancellationToken abort = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(train);
        context ??= new();
        var (options, trainLoader, validationLoader) = Sane(train, validation);
        if (options.Threads is { } threads)
        {
            set_num_threads(threads);
        }
        Preflight.Check(task, options, trainLoader, validationLoader);
        MoveModule(task.Module, context.Device);
        using var runLock = context.Folder?.Lock();
        var store = context.Folder is { } folder ? new CheckpointStore(folder.FullPath, _logger, _files) : null;
        var checkpoint = FindCheckpoint(store, context, new(context.Folder, _time, _logger));
        store?.Probe(Preflight.CheckpointBytes(task, options));
        var precision = PrecisionPolicy.Resolve(checkpoint?.State.Precision ?? options.Precision, context.Device, WorkKinds.Of(task.Module));
        precision.SetMatrixMode(context.Device.type);
        using var repeatable = DeterministicKernels.Use(context.Device.type);
        double? learningRate = null;
        if (options.FindLearningRate && checkpoint is null)
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
            try
            {
                learningRate = new LearningRateFinder(options, _logger).Find(task, trainLoader, context, leave.Token).Suggestion;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested && !abort.IsCancellationRequested)
            {
                return new() { Steps = 0, Epochs = 0, Metrics = new Dictionary<string, double>(), StopReason = StopReason.Interrupted, Elapsed = TimeSpan.Zero };
            }
        }
        using var run = new TrainingRun(task, options, context, trainLoader, validationLoader, store, checkpoint, learningRate, precision, _logger, _time, stop, abort);
        return run.Run();
    }

    /// <summary>As <see cref="Fit"/>, on a thread of its own. Callbacks and progress are called on that thread.</summary>
    /// <param name="task">What to train; nobody else may use its module meanwhile.</param>
    /// <param name="train">Training batches.</param>
    /// <param name="validation">Validation batches, or null.</param>
    /// <param name="context">Run folder, device, seed, callbacks; null: the defaults.</param>
    /// <param name="stop">Asks to finish the step, save a checkpoint and return with <see cref="StopReason.Interrupted"/>.</param>
    /// <param name="abort">Leaves at once; the last checkpoint is whole.</param>
    public Task<TrainingResult> FitAsync(
        TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, TrainerContext? context = null,
        CancellationToken stop = default, CancellationToken abort = default)
    {
        var completion = new TaskCompletionSource<TrainingResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                completion.SetResult(Fit(task, train, validation, context, stop, abort));
            }
            catch (OperationCanceledException cancelled)
            {
                completion.SetCanceled(cancelled.CancellationToken);
            }
#pragma warning disable CA1031 // Handed whole to whoever awaits; on this thread it would end the process.
            catch (Exception error)
#pragma warning restore CA1031
            {
                completion.SetException(error);
            }
        })
        { IsBackground = true, Name = "Nabla training" };
        thread.Start();
        return completion.Task;
    }

    /// <summary>Evaluates a task on a split, without gradients and in evaluation mode.</summary>
    /// <param name="task">What to evaluate; its module is moved to the device.</param>
    /// <param name="loader">Batches of the split; one epoch is read.</param>
    /// <param name="split">train, validation or test: the first part of the metrics' names.</param>
    /// <param name="device">Device that computes; null: the CPU.</param>
    /// <param name="onBatch">Receives each batch and what the task gave for it, to keep predictions; the tensors are freed after the call.</param>
    /// <param name="cancellationToken">Leaves at once.</param>
    /// <exception cref="DataException">The split is empty.</exception>
    /// <exception cref="TrainingException">The native library refuses a batch.</exception>
    public EvaluationResult Evaluate(
        TrainingTask task, IBatchLoader loader, string split, Device? device = null,
        Action<Batch, StepOutput>? onBatch = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(loader);
        ArgumentException.ThrowIfNullOrEmpty(split);
        if (Options.Threads is { } threads)
        {
            set_num_threads(threads);
        }
        device ??= CPU;
        MoveModule(task.Module, device);
        var precision = PrecisionPolicy.Resolve(Options.Precision, device, WorkKinds.Of(task.Module));
        precision.SetMatrixMode(device.type);
        return Evaluator.Run(task, loader, split, device, precision, _time, onBatch, null, cancellationToken);
    }

    private (TrainingOptions Options, IBatchLoader Train, IBatchLoader? Validation) Sane(IBatchLoader train, IBatchLoader? validation)
    {
        if (Options.FastDevRun)
        {
            return (Options with { Epochs = 1, LogEverySteps = 1, ValidateEveryEpochs = 1, FindLearningRate = false },
                new LimitedLoader(train, SanityBatches, alwaysFirstEpoch: true),
                validation is null ? null : new LimitedLoader(validation, SanityBatches, alwaysFirstEpoch: true));
        }
        return Options.OverfitBatches is { } batches ? (Options, new LimitedLoader(train, batches, alwaysFirstEpoch: true), validation) : (Options, train, validation);
    }

    private static Checkpoint? FindCheckpoint(CheckpointStore? store, TrainerContext context, IncidentLog incidents)
    {
        if (store is null)
        {
            return context.Resume ? throw new ArgumentException("Resume needs a run folder: set TrainerContext.Folder.", nameof(context)) : null;
        }
        if (!context.Resume)
        {
            return store.Steps.Count == 0 ? null : throw new CheckpointException($"{context.Folder!.FullPath}: expected a new run folder, got one with checkpoints up to step {store.Steps[^1]}. Resume it (--resume), or start a new run.");
        }
        var checkpoint = store.OpenNewestGood((step, problem) => incidents.Add(IncidentLog.DamagedCheckpoint, step, $"Checkpoint {step} is damaged and the one before it is used: {problem}", isLogged: true));
        store.CleanUp(checkpoint?.Step);
        return checkpoint;
    }

    private static void MoveModule(Module module, Device device)
    {
        // Only when needed: Module.to replaces parameters, and an optimiser built before would be left with the old ones.
        if (ModuleState.Collect(module).Values.Any(tensor => tensor.device_type != device.type || (device.index >= 0 && tensor.device_index != device.index)))
        {
            module.to(device);
        }
    }
}

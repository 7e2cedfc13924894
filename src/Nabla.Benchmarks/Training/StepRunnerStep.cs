using Nabla.Data;
using Nabla.Training;

namespace Nabla.Benchmarks;

/// <summary>
/// A step as <c>nabla train</c> runs it: a <see cref="TrainingTask"/> through the trainer's own <see cref="StepRunner"/>, with the training
/// metric of the task, the seeds of the step and the checks of every tenth step. Owns the task and the batch.
/// </summary>
internal sealed class StepRunnerStep : ITrainingStep, ISizedStep
{
    private readonly TrainingTask _task;
    private readonly Func<Batch> _batch;
    private readonly Action? _dispose;
    private readonly TrainingOptions _options;
    private readonly StepRunner _runner;
    private readonly Schedule _schedule;
    private readonly IReadOnlyList<Metric> _measures;
    private long _step;

    /// <summary>Creates the step.</summary>
    /// <param name="task">What is trained; taken over.</param>
    /// <param name="batch">Makes the batch; each one is disposed after its step. Tensors that all share are handed out by <c>alias()</c>.</param>
    /// <param name="precision">float32, bfloat16-mixed or auto.</param>
    /// <param name="options">How to train; its precision is not used. Null: AdamW with the rate and decay of the baselines.</param>
    /// <param name="dispose">Frees what <paramref name="batch"/> shares; null: nothing.</param>
    public StepRunnerStep(TrainingTask task, Func<Batch> batch, string precision, TrainingOptions? options = null, Action? dispose = null)
    {
        (_task, _batch, _dispose) = (task, batch, dispose);
        _options = (options ?? Options) with { Precision = precision };
        task.Module.to(WorkloadDevice.Current); // before the optimiser: it replaces parameters
        _runner = new(task, _options, new() { Device = WorkloadDevice.Current }, PrecisionPolicy.Resolve(precision, WorkloadDevice.Current, WorkKinds.Of(task.Module)));
        _schedule = ScheduleFactory.Create(_options.Schedule, 1, 1);
        _measures = task.CreateMetrics("train");
        task.Module.train();
    }

    /// <summary>AdamW as both sides use it.</summary>
    public static TrainingOptions Options { get; } = new()
    {
        Optimizer = new() { Name = "adamw", LearningRate = BaselineStep.LearningRate, WeightDecay = BaselineStep.WeightDecay },
    };

    /// <summary>Name of the precision in use.</summary>
    public string Precision => _runner.Precision.Name;

    /// <inheritdoc/>
    public long Parameters => _runner.Parameters.Sum(parameter => parameter.Value.numel());

    /// <inheritdoc/>
    public double Step()
    {
        _runner.Precision.SetMatrixMode(WorkloadDevice.Current.type);
        using var repeatable = DeterministicKernels.Use(WorkloadDevice.Current.type);
        _runner.Accumulate(_batch(), _step, 0, _measures);
        _runner.Update(_step, 0, _schedule, report: (_step + 1) % _options.LogEverySteps == 0);
        _step++;
        _runner.Losses.Flush();
        var loss = LossMeter.Mean(_runner.Losses.Window);
        _runner.Losses.ResetWindow();
        return loss;
    }

    /// <summary>Begins to write the whole state beside training, as a run does.</summary>
    /// <param name="writer">Writes it.</param>
    /// <param name="step">Name of the checkpoint.</param>
    public void BeginSave(CheckpointWriter writer, long step)
    {
        NumericFault.CheckState(step, 0, _task.Module);
        writer.Begin(
            new(new CheckpointState { Step = step, Epoch = 0, BatchInEpoch = step, Seed = 1 }, ModuleState.Collect(_task.Module), _runner.Optimizer.State), isBest: true, before: () => { });
    }

    /// <summary>Writes the whole state and waits until it is on the disk.</summary>
    /// <param name="writer">Writes it.</param>
    /// <param name="step">Name of the checkpoint.</param>
    public void Save(CheckpointWriter writer, long step)
    {
        BeginSave(writer, step);
        writer.Take(wait: true, mustSucceed: true);
    }

    /// <summary>As above, with a writer for this one checkpoint.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="step">Name of the checkpoint.</param>
    public void Save(CheckpointStore store, long step)
    {
        using CheckpointWriter writer = new(store, new(), (_, problem) => throw new CheckpointException(problem));
        Save(writer, step);
    }

    /// <summary>Reads the whole state as a resumed run does.</summary>
    /// <param name="store">Where from.</param>
    /// <param name="step">Name of the checkpoint.</param>
    public void Load(CheckpointStore store, long step)
    {
        using var scope = NewDisposeScope();
        var checkpoint = store.Open(step);
        checkpoint.LoadTrainedWeights(_task.Module);
        _runner.Optimizer.LoadState(checkpoint.ReadOptimizer());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner.Dispose();
        _task.Dispose();
        _dispose?.Invoke();
    }
}

using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// One training from its start, or from a checkpoint, to its end: the loop over epochs and steps and what happens between steps. Its whole
/// place is in a <see cref="CheckpointState"/> and the tensors beside it, so going on from a checkpoint gives the same bits. Not thread-safe.
/// </summary>
internal sealed partial class TrainingRun : IDisposable
{
    private readonly TrainingTask _task;
    private readonly TrainingOptions _options;
    private readonly TrainerContext _context;
    private readonly IBatchLoader _train;
    private readonly IBatchLoader? _validation;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly CancellationToken _stop, _abort;
    private readonly StepRunner _runner;
    private readonly Schedule _schedule;
    private readonly RunRecorder _recorder;
    private readonly CheckpointStore? _store;
    private readonly CheckpointWriter? _writer;
    private readonly IncidentLog _incidents;
    private readonly LeakWatch _leaks = new();
    private readonly IReadOnlyList<TrainingCallback> _callbacks;
    private readonly IReadOnlyList<Metric> _measures;
    private readonly SortedDictionary<string, bool> _measured;
    private readonly long? _stepsPerEpoch, _totalSteps;
    private readonly CheckpointState? _resumed;
    private readonly LoaderWait _loaderWait;
    private readonly Dictionary<string, double> _metrics = new(StringComparer.Ordinal);
    private long _step, _batchInEpoch, _examples, _savedStep = -1;
    private int _epoch;
    private BestEvaluation? _best;
    private double _learningRate;
    private double? _newestLoss;

    public TrainingRun(
        TrainingTask task, TrainingOptions options, TrainerContext context, IBatchLoader train, IBatchLoader? validation,
        CheckpointStore? store, Checkpoint? checkpoint, double? learningRate, ComputePrecision precision, ILogger logger, TimeProvider time, CancellationToken stop, CancellationToken abort)
    {
        (_task, _options, _context, _train, _validation, _store, _logger, _time, _stop, _abort) = (task, options, context, train, validation, store, logger, time, stop, abort);
        _stepsPerEpoch = train.BatchesPerEpoch is { } batches ? (batches + options.AccumulateBatches - 1) / options.AccumulateBatches : null;
        _totalSteps = _stepsPerEpoch is { } steps ? Math.Min(options.MaxSteps ?? long.MaxValue, steps * options.Epochs) : options.MaxSteps;
        _loaderWait = new(time);
        _measured = Preflight.Measured(task, validation);
        _callbacks = options.EarlyStopping is { } stopping ? [.. context.Callbacks, new EarlyStopping(stopping, _measured[stopping.Monitor])] : context.Callbacks;
        _resumed = checkpoint?.State;
        _runner = new(task, options, context, precision, _totalSteps, _stepsPerEpoch, logger);
        _schedule = RunSchedule.Create(options, _totalSteps, _stepsPerEpoch);
        _measures = task.CreateMetrics("train");
        _incidents = new(context.Folder, time, logger);
        _writer = store is null ? null : new(store, options.Checkpoints, CheckpointFailed);
        _lastSave = time.GetTimestamp();
        _runner.PeakLearningRate = learningRate ?? _runner.PeakLearningRate;
        try
        {
            if (checkpoint is not null)
            {
                Restore(checkpoint);
            }
            _recorder = new(context, time, logger, _resumed?.Pending is null ? _step : _step - 1, _resumed?.Seconds ?? 0);
        }
        catch
        {
            _runner.Dispose();
            _writer?.Dispose();
            throw;
        }
    }

    /// <summary>Trains to the end.</summary>
    public TrainingResult Run()
    {
        try
        {
            Start();
            var reason = _resumed?.Stopped is { } stopped and (StopReason.EarlyStopping or StopReason.Callback) ? stopped : Loop();
            Announce(wait: true, mustSucceed: true);
            var result = Result(reason);
            foreach (var callback in _callbacks)
            {
                callback.OnTrainingCompleted(new(result));
            }
            _recorder.WriteStatus(reason == StopReason.Interrupted ? RunState.Interrupted : RunState.Completed, _step, _totalSteps, _epoch, _metrics, reason);
            Report(TrainingPhase.Ended, always: true);
            TrainingLog.Completed(_logger, _step, result.Elapsed.TotalSeconds, reason);
            if (result.LoaderWaitShare > LoaderWait.Much && _loaderWait.Total > LoaderWait.Telling)
            {
                TrainingLog.LoaderIsSlow(_logger, result.LoaderWaitShare);
            }
            return result;
        }
        catch (OperationCanceledException)
        {
            _writer?.Drain();
            _recorder.WriteStatus(RunState.Interrupted, _step, _totalSteps, _epoch, _metrics);
            throw;
        }
        catch (Exception error)
        {
            _writer?.Drain();
            RecordFailure(error);
            throw;
        }
    }

    public void Dispose()
    {
        _writer?.Dispose();
        _runner.Dispose();
        _recorder.Dispose();
        TensorHeap.Trim(); // what comes after training needs less
    }

    private void Start()
    {
        _recorder.WriteStatus(RunState.Running, _step, _totalSteps, _epoch, _metrics);
        if (_validation is null && _store is not null)
        {
            TrainingLog.BestIsLast(_logger, _options.Checkpoints.Monitor);
        }
        var parameters = _runner.Parameters.Sum(parameter => parameter.Value.NumberOfElements);
        TrainingLog.Started(_logger, parameters, Devices.NameOf(_context.Device), _options.Epochs, _totalSteps, _context.Seed, _runner.Precision.Reason, _options);
        var started = new TrainingStarted(_step, _totalSteps, _epoch, _options.Epochs, parameters, _task.Module);
        foreach (var (callback, key) in Keyed())
        {
            callback.OnTrainingStarted(started);
            if (_resumed is not null && _resumed.Callbacks.TryGetValue(key, out var state))
            {
                callback.LoadState(state);
            }
        }
        Report(TrainingPhase.Training, always: true);
    }

    private StopReason Loop()
    {
        if (_resumed?.Pending is { } pending && FinishStep(new(pending.Row, StringComparer.Ordinal), pending.IsEpochEnd, pending.Stopped) is { } ended)
        {
            return ended;
        }
        while (_epoch < _options.Epochs)
        {
            if (_step >= _options.MaxSteps)
            {
                return StopReason.MaxStepsReached;
            }
            if (TrainEpoch() is { } reason)
            {
                return reason;
            }
        }
        return StopReason.EpochsCompleted;
    }

    private StopReason? TrainEpoch()
    {
        var epoch = _epoch;
        _task.Module.train();
        foreach (var measure in _measures)
        {
            measure.Reset();
        }
        using var batches = _train.ReadEpoch(epoch, _batchInEpoch, _abort).GetEnumerator();
        var hasNext = _loaderWait.MoveNext(batches, isInsideStep: false);
        if (!hasNext && _batchInEpoch == 0)
        {
            throw new DataException($"Epoch {epoch}: expected at least one training batch, got none. Check the data, batch_size and drop_last.");
        }
        try
        {
            while (hasNext)
            {
                _abort.ThrowIfCancellationRequested();
                _context.Profiler?.BeginBatch(_task.Module);
                _loaderWait.Start();
                var batch = batches.Current;
                var examples = batch.Count;
                _runner.Accumulate(batch, _step, epoch, _measures);
                _examples += examples;
                _batchInEpoch++;
                // The next batch is asked for before the step ends: only then is it known whether the epoch does.
                using (_context.Profiler?.Measure(ProfilePhases.LoaderWait))
                {
                    hasNext = _loaderWait.MoveNext(batches, isInsideStep: true);
                }
                if ((_runner.PendingBatches == _options.AccumulateBatches || !hasNext) && EndStep(isEpochEnd: !hasNext) is { } reason)
                {
                    return reason;
                }
                if (_runner.PendingBatches > 0)
                {
                    _loaderWait.Stop();
                }
            }
            // A checkpoint may lie right at the end of the data of a stream; the epoch is then closed without a step.
            return _epoch == epoch ? FinishStep(new(StringComparer.Ordinal), isEpochEnd: true, null) : null;
        }
        finally
        {
            if (hasNext)
            {
                batches.Current.Dispose();
            }
        }
    }

    /// <summary>The update, and all that may follow a step.</summary>
    private StopReason? EndStep(bool isEpochEnd)
    {
        Announce();
        var isLast = _step + 1 >= _options.MaxSteps;
        var isLogged = (_step + 1) % _options.LogEverySteps == 0 || isEpochEnd || isLast;
        var (learningRate, weight, norm) = Update(isLogged);
        _loaderWait.Stop();
        (_learningRate, _step) = (learningRate, _step + 1);
        _recorder.CountExamples(weight);
        var row = new Dictionary<string, double>(StringComparer.Ordinal);
        if (isLogged || _runner.Losses.IsFull)
        {
            FlushLosses();
        }
        if (isLogged)
        {
            AddStepMetrics(row, norm);
        }
        var wantsStop = false;
        foreach (var callback in _callbacks)
        {
            wantsStop |= callback.OnStepCompleted(new(_step, _epoch, isLogged ? _newestLoss : null, learningRate, weight)) == Continuation.Stop;
        }
        return FinishStep(row, isEpochEnd, wantsStop ? StopReason.Callback : null);
    }

    /// <summary>What follows the update: validation, the end of the epoch, the row of metrics, a checkpoint, the end. A resumed run may begin here.</summary>
    private StopReason? FinishStep(Dictionary<string, double> row, bool isEpochEnd, StopReason? reason)
    {
        var isLast = _step >= _options.MaxSteps;
        var isEpochValidated = isEpochEnd && ((_epoch + 1) % _options.ValidateEveryEpochs == 0 || _epoch + 1 == _options.Epochs);
        var improved = false;
        if (isEpochValidated || isLast || (_options.ValidateEverySteps is { } every && _step % every == 0))
        {
            if (Validate(row) is not var (isBetter, validationStop))
            {
                TrainingLog.ValidationLeft(_logger, _step);
                Save(StopReason.Interrupted, new(row, isEpochEnd, reason));
                return StopReason.Interrupted;
            }
            improved = isBetter;
            reason ??= validationStop;
        }
        if (isEpochEnd)
        {
            reason = EndEpoch(row, reason);
        }
        if (row.Count > 0)
        {
            _recorder.WriteRow(_step, isEpochEnd ? _epoch - 1 : _epoch, row);
        }
        reason ??= isLast ? StopReason.MaxStepsReached : null;
        reason ??= _stop.IsCancellationRequested ? StopReason.Interrupted : null;
        if (isEpochEnd || improved || reason is not null || IsSaveDue)
        {
            Save(reason);
        }
        if (_leaks.Look(_step, isEpochEnd) is { } leak)
        {
            _incidents.Add(IncidentLog.Leak, _step, leak);
        }
        Report(TrainingPhase.Training, always: isEpochEnd);
        EndProfiledStep(reason);
        // An interruption at the very end leaves nothing to resume.
        return reason == StopReason.Interrupted && _epoch >= _options.Epochs ? StopReason.EpochsCompleted : reason;
    }

    private (double LearningRate, long Weight, double? GradientNorm) Update(bool isLogged)
    {
        (double, long, double?) updated;
        try
        {
            using var measured = _context.Profiler?.Measure(ProfilePhases.Optimizer);
            updated = _runner.Update(_step, _epoch, _schedule, isLogged);
        }
        catch (ExternalException error)
        {
            throw NativeFault.InUpdate(error, $"Step {_step} (epoch {_epoch})");
        }
        if (_runner.LeftOut is { } why)
        {
            _incidents.Add(IncidentLog.SkippedStep, _step, $"Step left out ({_runner.SkippedSteps} so far): {why}");
        }
        return updated;
    }

    private void FlushLosses()
    {
        if (_runner.Losses.Flush() is { } bad)
        {
            throw NumericFault.InLossBefore(bad, _epoch, _task.Module);
        }
    }

    private TrainingResult Result(StopReason reason) => new()
    {
        Steps = _step,
        Epochs = _epoch,
        Metrics = new Dictionary<string, double>(_metrics),
        Best = _best,
        BestCheckpoint = _store is null || _savedStep < 0 ? null : _store.PathOf(_store.BestStep ?? _savedStep),
        StopReason = reason,
        Elapsed = _recorder.Elapsed,
        LoaderWaitShare = _loaderWait.Share,
    };

    private void Report(TrainingPhase phase, bool always = false) => _recorder.Report(_step, always, (elapsed, steps, examples) => new(
        phase, _step, _totalSteps, _epoch, _options.Epochs, _newestLoss, _learningRate, elapsed,
        _totalSteps is { } total && steps > 0 ? TimeSpan.FromSeconds((total - _step) / steps) : null,
        steps, examples, new Dictionary<string, double>(_metrics)));

    // The first error is what the caller must hear, also when the disk that holds the status is what failed.
    private void RecordFailure(Exception error)
    {
        try
        {
            _recorder.WriteStatus(RunState.Failed, _step, _totalSteps, _epoch, _metrics, error: error.Message);
        }
        catch (Exception second) when (second is IOException or UnauthorizedAccessException)
        {
            TrainingLog.StatusNotWritten(_logger, second.Message);
        }
    }

    private IEnumerable<(TrainingCallback Callback, string Key)> Keyed() => _callbacks.Select((callback, index) => (callback, $"{index}-{callback.GetType().Name}"));

    private static StopReason? Combine(StopReason? reason, TrainingCallback callback, Continuation continuation)
        => continuation == Continuation.Continue ? reason : reason ?? (callback is EarlyStopping ? StopReason.EarlyStopping : StopReason.Callback);
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>The place of a training as a checkpoint's state, and the way back.</summary>
internal sealed partial class TrainingRun
{
    private CheckpointState State(StopReason? stopped, PendingStep? pending) => new()
    {
        Step = _step,
        Epoch = _epoch,
        BatchInEpoch = _batchInEpoch,
        Seed = _context.Seed,
        BatchesPerEpoch = _train.BatchesPerEpoch,
        TotalSteps = _totalSteps,
        AccumulateBatches = _options.AccumulateBatches,
        BatchParts = _runner.Parts,
        LearningRate = _runner.PeakLearningRate,
        Precision = _runner.Precision.Name,
        Schedule = _schedule.SaveState(),
        Scaler = _runner.Scaler?.SaveState() ?? new Dictionary<string, double>(),
        AverageUpdates = _runner.Average?.Weights.Updates,
        Metrics = new Dictionary<string, double>(_metrics),
        Best = _best,
        Callbacks = Keyed().ToDictionary(pair => pair.Key, pair => pair.Callback.SaveState()),
        EpochLossSum = _runner.Losses.Epoch.Sum,
        EpochLossWeight = _runner.Losses.Epoch.Weight,
        WindowLossSum = _runner.Losses.Window.Sum,
        WindowLossWeight = _runner.Losses.Window.Weight,
        Examples = _examples,
        Seconds = _recorder.Elapsed.TotalSeconds,
        Stopped = stopped,
        Pending = pending,
        SkippedSteps = _runner.SkippedSteps,
        SkippedInRow = _runner.SkippedInRow,
        Processes = 1,
    };

    private void Restore(Checkpoint checkpoint)
    {
        var state = checkpoint.State;
        CheckSameRun(state, checkpoint.FullPath);
        using (NewDisposeScope())
        {
            checkpoint.LoadTrainedWeights(_task.Module, _context.ParameterMap);
            var optimizer = checkpoint.ReadOptimizer();
            _runner.Optimizer.LoadState(_context.ParameterMap?.ApplyToOptimizer(optimizer, checkpoint.FullPath) ?? optimizer);
            if (_runner.Average?.Weights is { } average)
            {
                var saved = checkpoint.ReadAverage() ?? throw new CheckpointException($"{checkpoint.FullPath}: expected averaged weights, as this recipe asks for an average, got a checkpoint without. Resume with the recipe of the run.");
                var averageState = (_context.ParameterMap?.Apply(saved, checkpoint.FullPath) ?? saved).ToDictionary(entry => "average." + entry.Key, entry => entry.Value, StringComparer.Ordinal);
                averageState["updates"] = tensor(state.AverageUpdates ?? 0);
                average.LoadState(averageState);
            }
        }
        if (state.Schedule.Count > 0)
        {
            _schedule.LoadState(state.Schedule);
        }
        if (state.Scaler.Count > 0)
        {
            _runner.Scaler?.LoadState(state.Scaler);
        }
        (_step, _epoch, _batchInEpoch, _examples, _best, _savedStep) = (state.Step, state.Epoch, state.BatchInEpoch, state.Examples, state.Best, state.Step);
        (_runner.PeakLearningRate, _runner.SkippedSteps, _runner.SkippedInRow) = (state.LearningRate, state.SkippedSteps, state.SkippedInRow);
        _runner.Parts = Math.Max(1, state.BatchParts);
        _runner.Losses.Epoch = (state.EpochLossSum, state.EpochLossWeight);
        _runner.Losses.Window = (state.WindowLossSum, state.WindowLossWeight);
        foreach (var (name, value) in state.Metrics)
        {
            _metrics[name] = value;
        }
        if (state.TotalSteps is { } planned && _totalSteps is { } now && planned != now)
        {
            TrainingLog.LengthChanged(_logger, planned, now);
        }
        TrainingLog.Resumed(_logger, _step, _epoch, _batchInEpoch, checkpoint.FullPath);
    }

    private void RefreshAverage() => _runner.Average?.Refresh(batches =>
    {
        Seeds.SetGlobal(_context.Seed, RandomPurpose.Other, _step);
        BatchNormStatistics.Update(_task.Module, _train.ReadEpoch(0, cancellationToken: _abort).Take(batches), batch =>
        {
            using var here = batch.MoveTo(_context.Device);
            using (_runner.Precision.Enter(_context.Device.type))
            {
                _task.Step(here);
            }
        });
    });

    private void CheckSameRun(CheckpointState state, string path)
    {
        if (state.Processes is { } processes and > 1)
        {
            throw new CheckpointException($"{path}: expected a checkpoint of one process, got one of {processes} processes that trained together (processes: {processes} in state.json). This version trains with one: resume with the version and the number of processes that wrote it.");
        }
        List<string> differences = [];
        if (state.Seed != _context.Seed)
        {
            differences.Add($"seed {state.Seed}, now {_context.Seed}");
        }
        if (state.BatchesPerEpoch != _train.BatchesPerEpoch)
        {
            differences.Add($"{state.BatchesPerEpoch} batches an epoch, now {_train.BatchesPerEpoch} (other data or batch_size)");
        }
        if (state.AccumulateBatches != _options.AccumulateBatches)
        {
            differences.Add($"accumulate_batches {state.AccumulateBatches}, now {_options.AccumulateBatches}");
        }
        if (differences.Count > 0)
        {
            throw new CheckpointException($"{path}: the run cannot go on exactly: it was trained with {string.Join("; ", differences)}. Resume with the run's own recipe, or start a new run.");
        }
    }

    /// <summary>Tells the profiler that a step has ended; what it has found is written once it is whole.</summary>
    private void EndProfiledStep(StopReason? reason)
    {
        if (_context.Profiler is not { Report: null } profiler)
        {
            return;
        }
        profiler.EndStep();
        if (reason is not null || _epoch >= _options.Epochs)
        {
            profiler.Complete();
        }
        if (profiler.Report is { } report && _context.Folder is { } folder)
        {
            folder.WriteProfile(report, profiler.WriteTrace!);
        }
    }
}

using Nabla.Core;

namespace Nabla.Training;

/// <summary>What a run measures: the rows of its steps, its validation, its epochs, and which evaluation was the best.</summary>
internal sealed partial class TrainingRun
{
    private void AddStepMetrics(Dictionary<string, double> row, double? norm)
    {
        if (_runner.Losses.Window.Weight > 0) // all steps may have been left out
        {
            row["train/loss"] = LossMeter.Mean(_runner.Losses.Window);
            _newestLoss = row["train/loss"];
        }
        _runner.Losses.ResetWindow();
        if (_options.NonFinite.Policy == NonFinitePolicy.Skip)
        {
            row["train/skipped-steps"] = _runner.SkippedSteps;
        }
        row["train/learning-rate"] = _learningRate;
        if (norm is { } value)
        {
            row["train/gradient-norm"] = value;
        }
    }

    /// <summary>Evaluates on the validation split; null when it was left because training was asked to stop.</summary>
    private (bool Improved, StopReason? Reason)? Validate(Dictionary<string, double> row)
    {
        if (_validation is null)
        {
            return (false, null);
        }
        EvaluationResult evaluation;
        RefreshAverage();
        using var measured = _context.Profiler?.Measure(ProfilePhases.Validation);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(_stop, _abort);
        try
        {
            using var average = _runner.Average?.Weights.Apply();
            Seeds.SetGlobal(_context.Seed, RandomPurpose.Other, _step);
            evaluation = Evaluator.Run(_task, _validation, "validation", _context.Device, _runner.Precision, _time, null, _ => Report(TrainingPhase.Validation), leave.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested && !_abort.IsCancellationRequested)
        {
            return null;
        }
        foreach (var (name, value) in evaluation.Metrics)
        {
            row[name] = _metrics[name] = value;
        }
        var improved = IsImproved("validation/");
        if (_options.Checkpoints.Monitor.StartsWith("validation/", StringComparison.Ordinal))
        {
            _schedule.OnEvaluated(_metrics[_options.Checkpoints.Monitor]);
        }
        StopReason? reason = null;
        foreach (var callback in _callbacks)
        {
            reason = Combine(reason, callback, callback.OnValidationCompleted(new(_step, _epoch, evaluation.Metrics)));
        }
        return (improved, reason);
    }

    private StopReason? EndEpoch(Dictionary<string, double> row, StopReason? reason)
    {
        row["train/epoch-loss"] = _metrics["train/loss"] = LossMeter.Mean(_runner.Losses.Epoch);
        // After a resume in the middle the measures have seen a part of the epoch only; the loss has seen all of it.
        if (_resumed is null || _epoch > _resumed.Epoch || _resumed.BatchInEpoch == 0)
        {
            foreach (var measure in _measures)
            {
                row[$"train/{measure.Name}"] = _metrics[$"train/{measure.Name}"] = measure.Compute();
            }
        }
        if (_options.Checkpoints.Monitor.StartsWith("train/", StringComparison.Ordinal))
        {
            IsImproved("train/");
            _schedule.OnEvaluated(_metrics[_options.Checkpoints.Monitor]);
        }
        var completed = new EpochCompleted(_step, _epoch, new Dictionary<string, double>(_metrics));
        foreach (var callback in _callbacks)
        {
            reason = Combine(reason, callback, callback.OnEpochCompleted(completed));
        }
        _runner.Losses.ResetEpoch();
        (_epoch, _batchInEpoch) = (_epoch + 1, 0);
        TrainingLog.EpochCompleted(_logger, _epoch, _options.Epochs, _step, RunRecorder.Describe(_metrics));
        _recorder.WriteStatus(RunState.Running, _step, _totalSteps, _epoch, _metrics);
        return reason;
    }

    private bool IsImproved(string split)
    {
        var monitor = _options.Checkpoints.Monitor;
        if (!monitor.StartsWith(split, StringComparison.Ordinal) || !new MetricGoal(monitor, _measured[monitor]).IsBetter(_metrics[monitor], _best?.Value))
        {
            return false;
        }
        _best = new(monitor, _metrics[monitor], _step);
        return true;
    }
}

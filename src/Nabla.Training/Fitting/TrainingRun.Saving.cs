namespace Nabla.Training;

/// <summary>When checkpoints are begun, and what follows once they are on the disk.</summary>
internal sealed partial class TrainingRun
{
    private long _lastSave;

    /// <summary>Whether a checkpoint is due by steps, or by time; one due by time waits until the one before is on the disk.</summary>
    private bool IsSaveDue => (_options.Checkpoints.EverySteps is { } steps && _step % steps == 0)
        || (_options.Checkpoints.EveryMinutes is { } minutes && _time.GetElapsedTime(_lastSave).TotalMinutes >= minutes && _writer is { IsBusy: false });

    /// <summary>Begins to write a checkpoint; where training ends here, it is on the disk when this returns.</summary>
    private void Save(StopReason? reason, PendingStep? pending = null)
    {
        if (_writer is null)
        {
            return;
        }
        using var measured = _context.Profiler?.Measure(ProfilePhases.Checkpoint);
        FlushLosses();
        RefreshAverage();
        NumericFault.CheckState(_step, _epoch, _task.Module);
        Announce(wait: true);
        var state = State(reason == StopReason.Interrupted ? null : reason, pending);
        _writer.Begin(new(state, ModuleState.Collect(_task.Module), _runner.Optimizer.State, _runner.Average?.Weights.State), _best is null || _best.Step == _step, _recorder.FlushToDisk);
        _lastSave = _time.GetTimestamp();
        if (reason is not null)
        {
            Announce(wait: true, mustSucceed: true);
        }
    }

    /// <summary>Tells of a checkpoint that has been written, or throws what went wrong with it.</summary>
    private void Announce(bool wait = false, bool mustSucceed = false)
    {
        if (_writer?.Take(wait, mustSucceed) is not { } saved)
        {
            return;
        }
        _savedStep = saved.Step;
        TrainingLog.CheckpointSaved(_logger, saved.Folder);
        foreach (var callback in _callbacks)
        {
            callback.OnCheckpointSaved(saved);
        }
    }

    /// <summary>Notes a checkpoint that is missing while training goes on.</summary>
    private void CheckpointFailed(long step, string problem)
        => _incidents.Add(IncidentLog.CheckpointNotWritten, step, $"The checkpoint of step {step} was not written, and training goes on without it: {problem}");
}

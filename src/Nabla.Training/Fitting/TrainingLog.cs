using Microsoft.Extensions.Logging;

namespace Nabla.Training;

/// <summary>Everything that training writes to the log.</summary>
internal static partial class TrainingLog
{
    [LoggerMessage(1, LogLevel.Warning, "DAMAGED: checkpoint {Step} is left out and the one before it used: {Problem}")]
    public static partial void DamagedCheckpoint(ILogger logger, long step, string problem);

    [LoggerMessage(2, LogLevel.Warning, "The unfinished {Folder} could not be removed: {Problem} It is safe to delete.")]
    public static partial void LeftoverStays(ILogger logger, string folder, string problem);

    [LoggerMessage(3, LogLevel.Information, "Training {Parameters} parameters on {Device}: {Epochs} epochs, {TotalSteps} steps, seed {Seed}, {Precision} {Options}")]
    public static partial void Started(ILogger logger, long parameters, string device, int epochs, long? totalSteps, long seed, string precision, TrainingOptions options);

    [LoggerMessage(4, LogLevel.Information, "Resumed after step {Step} (epoch {Epoch}, batch {Batch}) from {Checkpoint}")]
    public static partial void Resumed(ILogger logger, long step, int epoch, long batch, string checkpoint);

    [LoggerMessage(5, LogLevel.Information, "Epoch {Epoch} of {Epochs} done at step {Step}: {Metrics}")]
    public static partial void EpochCompleted(ILogger logger, int epoch, int epochs, long step, string metrics);

    [LoggerMessage(6, LogLevel.Debug, "Step {Step}: {Metrics}")]
    public static partial void StepLogged(ILogger logger, long step, string metrics);

    [LoggerMessage(7, LogLevel.Debug, "Checkpoint written: {Checkpoint}")]
    public static partial void CheckpointSaved(ILogger logger, string checkpoint);

    [LoggerMessage(8, LogLevel.Information, "Training ended after {Steps} steps and {Seconds:F1} s: {Reason}")]
    public static partial void Completed(ILogger logger, long steps, double seconds, StopReason reason);

    [LoggerMessage(9, LogLevel.Information, "Learning rate {LearningRate} found in {Steps} steps")]
    public static partial void LearningRateFound(ILogger logger, double learningRate, int steps);

    [LoggerMessage(10, LogLevel.Warning, "{Metric} is not measured here, so the newest checkpoint counts as the best")]
    public static partial void BestIsLast(ILogger logger, string metric);

    [LoggerMessage(11, LogLevel.Warning, "The run was planned with {Saved} steps and now has {Now}: schedules that depend on the length follow the new one")]
    public static partial void LengthChanged(ILogger logger, long saved, long now);

    [LoggerMessage(12, LogLevel.Warning, "The run's status could not be written: {Problem}")]
    public static partial void StatusNotWritten(ILogger logger, string problem);

    [LoggerMessage(13, LogLevel.Warning, "{Path}: {Problem} Trying again")]
    public static partial void TryingAgain(ILogger logger, string path, string problem);

    [LoggerMessage(14, LogLevel.Warning, "{Message}")]
    public static partial void Incident(ILogger logger, string message);

    [LoggerMessage(15, LogLevel.Warning, "The incident could not be noted in {Path}: {Problem}")]
    public static partial void IncidentNotWritten(ILogger logger, string path, string problem);

    [LoggerMessage(16, LogLevel.Information, "Asked to stop: the validation after step {Step} is left and comes first when the run goes on")]
    public static partial void ValidationLeft(ILogger logger, long step);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Steps waited for the loader in {Share:P0} of their time. Raise data.workers (or LoaderOptions.Workers), or make decoding and augmentation cheaper.")]
    public static partial void LoaderIsSlow(ILogger logger, double share);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Step {Step}: not enough memory for a batch in {Before} parts. It is now computed in {After} parts, whose gradients add up to those of the whole; a smaller training.batch_size with accumulate_batches does the same without this try.")]
    public static partial void BatchSplit(ILogger logger, long step, int before, int after);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Step {Step}: {Refusal} From here on kernels that add in changing order are allowed: the same seed, and a resumed run, then agree up to rounding, not to the bit.")]
    public static partial void NotDeterministic(ILogger logger, long step, string refusal);

    [LoggerMessage(Level = LogLevel.Information, Message = "batch_size auto: {Size} examples, found {How}")]
    public static partial void BatchSizeFound(ILogger logger, long size, string how);
}

namespace Nabla.Training;

/// <summary>The schedule of a run: that of its options, and for stochastic weight averaging the constant rate after it.</summary>
internal static class RunSchedule
{
    /// <summary>Makes it.</summary>
    /// <param name="options">Options of the run.</param>
    /// <param name="totalSteps">Steps of the run, where they are known.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch, where they are known.</param>
    public static Schedule Create(TrainingOptions options, long? totalSteps, long? stepsPerEpoch)
    {
        var schedule = ScheduleFactory.Create(options.Schedule, totalSteps ?? 1, stepsPerEpoch ?? 1);
        return options.Averaging is { IsSwa: true, LearningRateFraction: { } fraction } averaging
            ? new AveragingSchedule(schedule, averaging.StartStep(totalSteps), fraction, (long)Math.Round(averaging.AnnealEpochs * (stepsPerEpoch ?? 1)), averaging.Annealing == "cosine")
            : schedule;
    }
}

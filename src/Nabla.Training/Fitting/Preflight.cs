using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>What is checked before the first batch, so that no run fails late for a reason known early; all findings are reported at once.</summary>
internal static class Preflight
{
    private static readonly string[] NeedNoLength = ["constant", "plateau", "inverse-sqrt"];
    private static readonly string[] NeedEpochLength = ["step", "multi-step", "exponential"];

    /// <summary>Checks options, task and data against each other.</summary>
    /// <exception cref="TrainingException">Something cannot work.</exception>
    public static void Check(TrainingTask task, TrainingOptions options, IBatchLoader train, IBatchLoader? validation)
    {
        List<string> findings = [];
        if (!task.Module.parameters().Any(parameter => parameter.requires_grad))
        {
            findings.Add("The model has no parameter to train: all are frozen.");
        }
        if (train.BatchesPerEpoch is 0)
        {
            findings.Add("The training data holds no batch: use a smaller batch_size, or turn drop_last off.");
        }
        if (validation?.BatchesPerEpoch is 0)
        {
            findings.Add("The validation data holds no batch: raise data.validation, or set it to 0 and do without.");
        }
        if (train.BatchesPerEpoch is null && ScheduleNames(options.Schedule).Any(NeedEpochLength.Contains))
        {
            findings.Add($"schedule '{options.Schedule.Name}' counts epochs, and the training data is a stream of unknown length: use {string.Join(", ", NeedNoLength)}, or max_steps with another schedule.");
        }
        else if (train.BatchesPerEpoch is null && options.MaxSteps is null && options.Schedule.Steps is null && (!NeedNoLength.Contains(options.Schedule.Name) || options.Schedule.WarmupFraction > 0))
        {
            findings.Add($"schedule '{options.Schedule.Name}' needs the number of steps, and the training data is a stream of unknown length: set max_steps.");
        }
        var measured = Measured(task, validation);
        if (options.EarlyStopping is { } stopping && !measured.ContainsKey(stopping.Monitor))
        {
            findings.Add($"early_stopping.monitor '{stopping.Monitor}' is not measured. {NearestName.Suggest(stopping.Monitor, measured.Keys)}{(validation is null ? " There is no validation data: set data.validation." : "")}");
        }
        if (validation is not null && !measured.ContainsKey(options.Checkpoints.Monitor))
        {
            findings.Add($"checkpoints.monitor '{options.Checkpoints.Monitor}' is not measured. {NearestName.Suggest(options.Checkpoints.Monitor, measured.Keys)}");
        }
        if (options.Schedule.Name == "plateau" && measured.TryGetValue(options.Checkpoints.Monitor, out var higher) && higher != (options.Schedule.Goal == "max"))
        {
            findings.Add($"schedule plateau has goal '{options.Schedule.Goal}', but of checkpoints.monitor '{options.Checkpoints.Monitor}' {(higher ? "more" : "less")} is better: set goal to '{(higher ? "max" : "min")}'.");
        }
        if (options.Optimizer.Name == "lbfgs" && (options.Sam is not null || options.GradientClipping is not null || options.GradientClippingValue is not null || options.Precision == "float16-mixed"))
        {
            findings.Add("optimizer lbfgs searches along the plain gradient: it takes no sam, no gradient clipping and no float16-mixed precision. Leave them out, or use another optimiser.");
        }
        if (options.Optimizer.Name is "schedule-free" or "asgd" && (options.EmaDecay is not null || options.Averaging is { IsSwa: true } or { Decay: not 0.999 }))
        {
            findings.Add($"optimizer {options.Optimizer.Name} keeps an average of the weights of its own, which is evaluated and served: leave ema_decay and averaging out.");
        }
        if (options.Averaging is { IsSwa: true } && train.BatchesPerEpoch is null && options.MaxSteps is null && options.Averaging.StartFraction is not 0)
        {
            findings.Add("averaging swa begins at a share of all steps, and the training data is a stream of unknown length: set max_steps, or start_fraction 0.");
        }
        if (findings.Count > 0)
        {
            throw new TrainingException($"Training cannot start: {string.Join(" ", findings)}");
        }
    }

    /// <summary>A schedule's name and those of its parts.</summary>
    private static IEnumerable<string> ScheduleNames(ScheduleOptions schedule) => (schedule.Parts ?? []).SelectMany(ScheduleNames).Prepend(schedule.Name);

    /// <summary>Metrics that can be watched, and whether more is better. Of the training split that is the loss alone: other metrics are not kept in checkpoints.</summary>
    public static SortedDictionary<string, bool> Measured(TrainingTask task, IBatchLoader? validation)
    {
        var measured = new SortedDictionary<string, bool>(StringComparer.Ordinal) { ["train/loss"] = false };
        if (validation is not null)
        {
            measured["validation/loss"] = false;
            foreach (var metric in task.CreateMetrics("validation"))
            {
                measured[$"validation/{metric.Name}"] = metric.HigherIsBetter;
            }
        }
        return measured;
    }

    /// <summary>Size of one checkpoint: weights, their average, and two numbers of optimiser state for each trained one.</summary>
    public static long CheckpointBytes(TrainingTask task, TrainingOptions options)
    {
        var state = ModuleState.Collect(task.Module).Values.Sum(tensor => tensor.NumberOfElements * tensor.ElementSize);
        var trained = task.Module.parameters().Where(parameter => parameter.requires_grad).Sum(parameter => parameter.NumberOfElements * parameter.ElementSize);
        const long Headers = 1 << 16;
        var isAveraged = options.EmaDecay is not null || options.Averaging is not null || options.Optimizer.Name is "schedule-free" or "asgd";
        return state + (isAveraged ? state : 0) + (2 * trained) + Headers;
    }
}

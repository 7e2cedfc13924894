using Microsoft.Extensions.Logging;
using Nabla.Models;
using Nabla.Training;

namespace Nabla;

/// <summary>What follows training: the best weights are evaluated, the report is written, the final figures are stored.</summary>
internal static partial class RunEnding
{
    /// <summary>Ends a run and gives its final metrics; leaves at once when asked to stop.</summary>
    public static IReadOnlyDictionary<string, double> Complete(
        Recipe recipe, RunFolder folder, Trainer trainer, ModelTask task, PreparedData data, RunLoaders loaders, ModelSummary summary, TrainingResult result, Device device, ILogger logger, CancellationToken stop)
    {
        if (result.StopReason == StopReason.Interrupted)
        {
            return result.Metrics; // the user waits for the process to end; the run is resumed later
        }
        var checkpoints = folder.OpenCheckpoints(logger);
        if (checkpoints.Steps.Count > 0)
        {
            checkpoints.OpenBest().LoadServedWeights(task.Module);
        }
        Dictionary<string, double> metrics = new(result.Metrics, StringComparer.Ordinal);
        var evaluations = new Dictionary<string, (EvaluationResult Result, SplitPredictions Predictions)>(StringComparer.Ordinal);
        foreach (var split in new[] { "validation", "test" })
        {
            if (loaders.Evaluation(split) is { } loader)
            {
                SplitPredictions predictions = new(recipe.Task);
                var evaluation = trainer.Evaluate(task, recipe.Training.FastDevRun ? new FirstBatches(loader, 2) : loader, split, device, predictions.Add, stop);
                evaluations[split] = (evaluation, predictions);
                foreach (var (name, value) in evaluation.Metrics)
                {
                    metrics[name] = value;
                }
            }
        }
        folder.WriteStatus(folder.ReadStatus() with { Metrics = metrics });
        var report = new RunReport(recipe, folder, task, data, summary, result, metrics, evaluations).Build();
        ReportWriter.WriteJson(report, Path.Combine(folder.FullPath, "report.json"));
        ReportWriter.WriteHtml(report, folder.ReportPath);
        LogReport(logger, folder.ReportPath);
        return metrics;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The report is in {Path}.")]
    private static partial void LogReport(ILogger logger, string path);
}

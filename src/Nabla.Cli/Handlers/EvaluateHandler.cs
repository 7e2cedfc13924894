using System.Text.Json.Nodes;

namespace Nabla.Cli;

/// <summary>Measures a trained model.</summary>
internal static class EvaluateHandler
{
    /// <summary>Prints the metrics of a split, or of other data.</summary>
    public static async Task<VerbResult> RunAsync(EvaluateRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var folder = new RunStore(request.RunsFolder).Find(request.Run);
        var evaluation = await (request.Data is { } path
            ? RunEvaluation.OnDataAsync(folder, path, request.Device)
            : RunEvaluation.OnSplitAsync(folder, request.Split, request.Device)).WaitAsync(cancellationToken).ConfigureAwait(false);
        output.Out.WriteLine($"{evaluation.Split}: {MetricText.Count(evaluation.Examples)} examples");
        foreach (var (name, value) in evaluation.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
        {
            output.Out.WriteLine($"{name,-24} {MetricText.Value(name, value)}");
        }
        return new(new JsonObject
        {
            ["run"] = evaluation.Run,
            ["split"] = evaluation.Split,
            ["examples"] = evaluation.Examples,
            ["metrics"] = TrainHandler.Metrics(evaluation.Metrics),
        });
    }
}

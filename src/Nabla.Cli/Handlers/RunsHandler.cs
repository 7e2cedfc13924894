using System.Globalization;
using System.Text.Json.Nodes;

namespace Nabla.Cli;

/// <summary>Lists, shows and compares runs.</summary>
internal static class RunsHandler
{
    /// <summary>Lists all runs, the newest first.</summary>
    public static Task<VerbResult> ListAsync(RunsListRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var store = new RunStore(request.RunsFolder);
        var runs = store.List();
        var table = new TextTable("run", "status", "started", ">steps", "metric", ">value", "note");
        foreach (var run in runs)
        {
            var metric = run.MainMetric();
            table.Add($"{run.Name}/{run.Id}", run.Status, Time(run.StartedAt), run.Steps.ToString(CultureInfo.InvariantCulture), metric?.Name, metric is null ? null : Number(metric.Last), run.Damage);
        }
        if (runs.Count == 0)
        {
            output.Error.WriteLine($"{store.Root} holds no runs. Train one with 'nabla train shapes'.");
        }
        else
        {
            table.WriteTo(output.Out);
        }
        return Task.FromResult(new VerbResult(new JsonObject { ["folder"] = store.Root, ["runs"] = new JsonArray([.. runs.Select(ToJson)]) }));
    }

    /// <summary>Shows one run: settings, results, checkpoints.</summary>
    public static Task<VerbResult> ShowAsync(RunsShowRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var details = new RunStore(request.RunsFolder).Show(request.Run);
        var run = details.Summary;
        output.Out.WriteLine($"{run.Name}/{run.Id}");
        output.Out.WriteLine($"  folder       {run.Path}");
        output.Out.WriteLine($"  status       {run.Status}");
        output.Out.WriteLine($"  started      {Time(run.StartedAt)}");
        output.Out.WriteLine($"  duration     {Duration(run.Duration)}");
        output.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  steps        {run.Steps}, {run.Epochs:0.##} epochs"));
        output.Out.WriteLine($"  checkpoints  {(details.Checkpoints.Count == 0 ? "none" : string.Join(", ", details.Checkpoints))}");
        if (run.Damage is not null)
        {
            output.Out.WriteLine($"  damage       {run.Damage}");
        }
        output.Out.WriteLine();
        var metrics = new TextTable("metric", ">last", ">best", ">at step");
        foreach (var metric in run.Metrics)
        {
            metrics.Add(metric.Name, Number(metric.Last), Number(metric.Best), metric.BestStep.ToString(CultureInfo.InvariantCulture));
        }
        metrics.WriteTo(output.Out);
        WriteFacts(output.Out, "settings", details.Settings);
        WriteFacts(output.Out, "environment", details.Environment);
        var json = ToJson(run);
        json["settings"] = ToJson(details.Settings);
        json["environment"] = ToJson(details.Environment);
        json["checkpoints"] = new JsonArray([.. details.Checkpoints.Select(name => JsonValue.Create(name))]);
        json["bytes"] = details.Bytes;
        return Task.FromResult(new VerbResult(json));
    }

    /// <summary>Shows the settings in which runs differ, and their metrics.</summary>
    public static Task<VerbResult> CompareAsync(RunsCompareRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        var comparison = new RunStore(request.RunsFolder).Compare(request.Runs);
        string[] names = [.. comparison.Runs.Select(run => $"{run.Name}/{run.Id}")];
        var settings = new TextTable(["setting", .. names]);
        foreach (var row in comparison.Settings)
        {
            settings.Add([row.Key, .. row.Values.Select(value => value ?? "-")]);
        }
        var metrics = new TextTable(["best of metric", .. names.Select(name => ">" + name)]);
        foreach (var row in comparison.Metrics)
        {
            metrics.Add([row.Name, .. row.Values.Select((value, index) => value is null ? "-" : Number(value.Best) + (index == row.BestRun ? " *" : "  "))]);
        }
        if (comparison.Settings.Count > 0)
        {
            settings.WriteTo(output.Out);
            output.Out.WriteLine();
        }
        metrics.WriteTo(output.Out);
        return Task.FromResult(new VerbResult(new JsonObject
        {
            ["runs"] = new JsonArray([.. comparison.Runs.Select(ToJson)]),
            ["settings"] = new JsonArray([.. comparison.Settings.Select(row => new JsonObject { ["key"] = row.Key, ["values"] = new JsonArray([.. row.Values.Select(value => JsonValue.Create(value))]) })]),
            ["metrics"] = new JsonArray([.. comparison.Metrics.Select(row => new JsonObject
            {
                ["name"] = row.Name,
                ["values"] = new JsonArray([.. row.Values.Select(value => value is null ? null : Json(value.Best))]),
                ["best"] = row.BestRun,
            })]),
        }));
    }

    private static JsonObject ToJson(RunSummary run) => new()
    {
        ["run"] = run.Path,
        ["name"] = run.Name,
        ["id"] = run.Id,
        ["status"] = run.Status,
        ["started"] = run.StartedAt?.ToString("O", CultureInfo.InvariantCulture),
        ["seconds"] = run.Duration?.TotalSeconds,
        ["steps"] = run.Steps,
        ["epochs"] = run.Epochs,
        ["metrics"] = new JsonObject(run.Metrics.Select(metric => KeyValuePair.Create<string, JsonNode?>(metric.Name, Json(metric.Last)))),
        ["damage"] = run.Damage,
    };

    private static JsonObject ToJson(IReadOnlyList<ReportFact> facts)
    {
        var json = new JsonObject();
        foreach (var fact in facts)
        {
            json[fact.Name] = fact.Value;
        }
        return json;
    }

    private static void WriteFacts(TextWriter writer, string title, IReadOnlyList<ReportFact> facts)
    {
        if (facts.Count == 0)
        {
            return;
        }
        writer.WriteLine();
        var table = new TextTable(title, "value");
        foreach (var fact in facts)
        {
            table.Add(fact.Name, fact.Value);
        }
        table.WriteTo(writer);
    }

    /// <summary>A number in JSON; one that JSON does not know is null.</summary>
    private static JsonValue? Json(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    private static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    private static string Time(DateTimeOffset? time) => time?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "?";

    private static string Duration(TimeSpan? duration) => duration?.ToString(@"d\.hh\:mm\:ss", CultureInfo.InvariantCulture) ?? "?";
}

using System.Text.Json.Nodes;
using Nabla.Training;

namespace Nabla.Cli;

/// <summary>Trains a recipe, or goes on with a run.</summary>
internal static class TrainHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Trains with a live display on standard error.</summary>
    /// <exception cref="UsageException">A resumed run is asked to change.</exception>
    public static async Task<VerbResult> RunAsync(TrainRequest request, CommandOutput output, CancellationToken cancellationToken)
    {
        if (request is { Resume: not null, Overrides.Count: > 0 })
        {
            throw new UsageException("nabla train: a resumed run goes on with its own recipe, so --set cannot change it. Leave --set out, or start a new run.");
        }
        if (request is { Resume: not null, Recipe: not null })
        {
            output.Error.WriteLine($"Going on with the recipe that the run stored; '{request.Recipe}' is not read.");
        }
        using var display = TrainingDisplay.Create(output.Error);
        using DisplayLogging logging = new(display);
        DisplayAdapter adapter = new(display);
        string? folder = null, chosen = null;
        TrainingRunOptions options = new()
        {
            OutputFolder = request.OutputFolder,
            Device = request.Device,
            Started = adapter.OnStarted,
            Progress = adapter,
            Callbacks = [adapter],
            Logging = logging,
            FolderChosen = path => chosen = path,
            FolderReady = path =>
            {
                folder = path;
                Supervision.Announce(path);
            },
            ParameterMap = request.Map.Count > 0 ? ParameterMap.Parse(request.Map) : null,
            Profile = request.Profile ? new() : null,
        };
        RunResult result;
        try
        {
            var training = request.Resume is { } run
                ? TrainingRun.ResumeAsync(new RunStore(request.OutputFolder).Find(run), options, cancellationToken)
                : TrainingRun.StartAsync(RecipeFile.Load(request.Recipe!, request.Overrides), options, cancellationToken);
            if (await IsLeftAsync(training, adapter, cancellationToken).ConfigureAwait(false))
            {
                if (request.Resume is null && chosen is not null)
                {
                    RunFolder.DiscardUnlessBegun(chosen); // the process ends before the work that is left could do it
                }
                return StoppedEarly() with { LeavesWork = true };
            }
            result = await training.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return StoppedEarly();
        }
        catch
        {
            adapter.OnFailed();
            throw;
        }
        adapter.OnEnded(result);
        if (request.Profile)
        {
            ProfileTables.Write(result.Profile, result.Folder, output.Out);
        }
        var interrupted = result.StopReason == StopReason.Interrupted;
        Write(result, interrupted, output);
        return new(ToJson(result), interrupted ? ExitCode.Cancelled : ExitCode.Done);

        VerbResult StoppedEarly()
        {
            output.Error.WriteLine("Stopped before training began; there was nothing to save.");
            return new(new JsonObject { ["run"] = folder, ["stop_reason"] = "interrupted" }, ExitCode.Cancelled);
        }
    }

    /// <summary>
    /// Whether a run was asked to stop while its data or model was being made ready, which cannot be ended in the middle, and
    /// has not come to a place where it stops by itself soon after.
    /// </summary>
    private static async Task<bool> IsLeftAsync(Task training, DisplayAdapter adapter, CancellationToken cancellationToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = cancellationToken.Register(stopped.SetResult).ConfigureAwait(false);
        if (await Task.WhenAny(training, stopped.Task).ConfigureAwait(false) == training || adapter.HasStarted)
        {
            return false;
        }
        return await Task.WhenAny(training, Task.Delay(Patience, CancellationToken.None)).ConfigureAwait(false) != training && !adapter.HasStarted;
    }

    private static void Write(RunResult result, bool interrupted, CommandOutput output)
    {
        if (interrupted)
        {
            output.Out.WriteLine($"Stopped after the step in hand; the place is saved. Go on with: nabla train --resume {result.Folder}");
            return;
        }
        foreach (var (name, value) in result.Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal))
        {
            output.Out.WriteLine($"{name,-24} {MetricText.Value(name, value)}");
        }
        output.Out.WriteLine($"{"time",-24} {MetricText.Duration(result.Elapsed)}");
        output.Out.WriteLine($"{"run",-24} {result.Folder}");
        output.Out.WriteLine($"{"report",-24} {Path.Combine(result.Folder, "report.html")}");
    }

    private static JsonObject ToJson(RunResult result) => new()
    {
        ["run"] = result.Folder,
        ["metrics"] = Metrics(result.Metrics),
        ["seconds"] = Math.Round(result.Elapsed.TotalSeconds, 3),
        ["stop_reason"] = System.Text.Json.JsonNamingPolicy.KebabCaseLower.ConvertName(result.StopReason.ToString()),
    };

    /// <summary>Metrics as JSON, ordered by name.</summary>
    public static JsonObject Metrics(IReadOnlyDictionary<string, double> metrics)
        => new(metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal).Select(metric => KeyValuePair.Create(metric.Key, (JsonNode?)JsonValue.Create(metric.Value))));
}

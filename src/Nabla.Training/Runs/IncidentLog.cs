using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Nabla.Training;

/// <summary>
/// What went wrong in a run and did not end it, in <c>incidents.jsonl</c>: one JSON object a line with <c>time</c>, <c>kind</c>, <c>step</c>
/// and <c>message</c>. Each is a warning of the log as well.
/// </summary>
internal sealed class IncidentLog(RunFolder? folder, TimeProvider time, ILogger logger)
{
    /// <summary>Kinds of incidents.</summary>
    public const string DamagedCheckpoint = "damaged-checkpoint", CheckpointNotWritten = "checkpoint-not-written", SkippedStep = "skipped-step", Leak = "tensor-leak", Restart = "restart";

    /// <summary>Notes an incident. When even that cannot be written, the log says so.</summary>
    public void Add(string kind, long? step, string message, bool isLogged = false)
    {
        if (!isLogged)
        {
            TrainingLog.Incident(logger, message);
        }
        if (folder is null)
        {
            return;
        }
        try
        {
            folder.AppendIncident(new(time.GetUtcNow(), kind, step, message));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TrainingLog.IncidentNotWritten(logger, folder.IncidentsPath, error.Message);
        }
    }
}

/// <summary>Something that went wrong in a run and did not end it.</summary>
/// <param name="Time">When, UTC.</param>
/// <param name="Kind">damaged-checkpoint, checkpoint-not-written, skipped-step, tensor-leak or restart.</param>
/// <param name="Step">The step it belongs to, or null.</param>
/// <param name="Message">What happened.</param>
public sealed record RunIncident(DateTimeOffset Time, string Kind, long? Step, string Message)
{
    /// <summary>As a line of JSON.</summary>
    internal byte[] ToLine()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("time", Time.UtcDateTime);
            writer.WriteString("kind", Kind);
            if (Step is { } step)
            {
                writer.WriteNumber("step", step);
            }
            writer.WriteString("message", Message);
            writer.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    /// <summary>From a line of JSON; null when it was cut off.</summary>
    internal static RunIncident? FromLine(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            return new(root.GetProperty("time").GetDateTimeOffset(), root.GetProperty("kind").GetString()!, root.TryGetProperty("step", out var step) ? step.GetInt64() : null, root.GetProperty("message").GetString()!);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

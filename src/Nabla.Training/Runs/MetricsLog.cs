using System.Globalization;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Nabla.Training;

/// <summary>
/// Appends rows to <c>metrics.jsonl</c>, each a JSON object on its own line with <c>step</c>, <c>epoch</c>, <c>time</c>, <c>seconds</c> and the metrics.
/// Values that are not finite are written as strings. Not thread-safe but for flushing.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private static readonly string[] OwnFields = ["step", "epoch", "time", "seconds"];
    private readonly FileStream _file;
    private readonly SafeFileHandle _handle;

    // The handle is taken here, once: asking a stream for it is not thread-safe, flushing by it is.
    private MetricsLog(FileStream file) => (_file, _handle) = (file, file.SafeFileHandle);

    /// <summary>Opens the log to go on after a step: rows of later steps, and a line cut off by a crash, are removed.</summary>
    /// <param name="path">The file; it is made when missing.</param>
    /// <param name="lastStep">The step of the checkpoint that training goes on from; 0 at the start of a run.</param>
    public static MetricsLog OpenAfter(string path, long lastStep)
    {
        var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            file.SetLength(lastStep == 0 ? 0 : LengthUpTo(bytes, lastStep));
            file.Seek(0, SeekOrigin.End);
            return new(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads all whole rows.</summary>
    public static IReadOnlyList<MetricsRow> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return [.. Lines(bytes).TakeWhile(line => line.Row is not null).Select(line => line.Row!)];
    }

    /// <summary>Appends a row; another process sees it at once.</summary>
    public void Append(MetricsRow row)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("step", row.Step);
            writer.WriteNumber("epoch", row.Epoch);
            writer.WriteString("time", row.Time.UtcDateTime);
            writer.WriteNumber("seconds", Math.Round(row.Seconds, 3));
            foreach (var (name, value) in row.Metrics)
            {
                if (double.IsFinite(value))
                {
                    writer.WriteNumber(name, value);
                }
                else
                {
                    writer.WriteString(name, value.ToString(CultureInfo.InvariantCulture));
                }
            }
            writer.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        _file.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
        _file.Flush();
    }

    /// <summary>Makes the rows so far survive a loss of power; called before a checkpoint refers to them, on any thread.</summary>
    public void FlushToDisk() => RandomAccess.FlushToDisk(_handle);

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static long LengthUpTo(byte[] bytes, long lastStep)
        => Lines(bytes).TakeWhile(line => line.Row is { } row && row.Step <= lastStep).Select(line => (long)line.End).LastOrDefault();

    private static IEnumerable<(MetricsRow? Row, int End)> Lines(byte[] bytes)
    {
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0)
            {
                yield break; // cut off by a crash
            }
            yield return (Parse(bytes.AsMemory(start, length)), start + length + 1);
            start += length + 1;
        }
    }

    private static MetricsRow? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            var metrics = new Dictionary<string, double>(StringComparer.Ordinal);
            foreach (var field in root.EnumerateObject().Where(field => !OwnFields.Contains(field.Name)))
            {
                metrics[field.Name] = field.Value.ValueKind == JsonValueKind.Number ? field.Value.GetDouble() : double.Parse(field.Value.GetString()!, CultureInfo.InvariantCulture);
            }
            return new(root.GetProperty("step").GetInt64(), root.GetProperty("epoch").GetInt32(), root.GetProperty("time").GetDateTimeOffset(), root.GetProperty("seconds").GetDouble(), metrics);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}

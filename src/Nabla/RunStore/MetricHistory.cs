using System.Globalization;
using System.Text.Json;

namespace Nabla;

/// <summary>
/// The curves of a <c>metrics.jsonl</c>. Reading copes with a file that is being written, was cut off, or goes back in steps because the
/// run was resumed: what was logged after the checkpoint it resumed from is replaced.
/// </summary>
public sealed record MetricHistory
{
    private static readonly string[] NotMetrics = ["step", "epoch", "time", "seconds"];

    /// <summary>One curve for each metric, ordered by name.</summary>
    public required IReadOnlyList<ReportCurve> Curves { get; init; }

    /// <summary>Time stamp of the first line; null: none.</summary>
    public DateTimeOffset? First { get; init; }

    /// <summary>Time stamp of the last line; null: none.</summary>
    public DateTimeOffset? Last { get; init; }

    /// <summary>Numbers of the lines, from 1, that are no JSON object with a step; a cut-off last line is not counted.</summary>
    public IReadOnlyList<int> DamagedLines { get; init; } = [];

    /// <summary>Reads a file; a missing file gives no curves.</summary>
    /// <param name="path">Path of the file.</param>
    /// <exception cref="IOException">The file is there but cannot be read.</exception>
    public static MetricHistory Read(string path)
    {
        if (!File.Exists(path))
        {
            return new() { Curves = [] };
        }
        // The trainer may be writing: share everything.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return Read(reader);
    }

    /// <summary>Reads the lines of a reader.</summary>
    /// <param name="reader">The text, one JSON object a line.</param>
    public static MetricHistory Read(TextReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        SortedDictionary<string, List<ReportPoint>> curves = new(StringComparer.Ordinal);
        List<int> damaged = [];
        var (first, last) = ((DateTimeOffset?)null, (DateTimeOffset?)null);
        var number = 0;
        var lastIsDamaged = false;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
            {
                continue;
            }
            lastIsDamaged = !TryAdd(line, curves, out var time);
            if (lastIsDamaged)
            {
                damaged.Add(number);
            }
            (first, last) = (first ?? time, time ?? last);
        }
        if (lastIsDamaged)
        {
            damaged.RemoveAt(damaged.Count - 1);
        }
        return new()
        {
            Curves = [.. curves.Select(pair => new ReportCurve(pair.Key, pair.Value))],
            First = first,
            Last = last,
            DamagedLines = damaged,
        };
    }

    /// <summary>Last and best value of each metric.</summary>
    public IReadOnlyList<RunMetric> Summarize() => [.. Curves.Where(curve => curve.Points.Count > 0).Select(Summarize)];

    /// <summary>Last and best value of a curve, by the direction of its metric.</summary>
    /// <param name="curve">The curve; it has at least one point.</param>
    public static RunMetric Summarize(ReportCurve curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        var higher = MetricText.HigherIsBetter(curve.Name);
        var (best, last) = (new ReportPoint(0, 0, double.NaN), curve.Points[^1]);
        foreach (var point in curve.Points)
        {
            if (!double.IsNaN(point.Value) && (double.IsNaN(best.Value) || (higher ? point.Value > best.Value : point.Value < best.Value)))
            {
                best = point;
            }
        }
        return new(curve.Name, last.Value, last.Step, best.Value, best.Step);
    }

    private static bool TryAdd(string line, SortedDictionary<string, List<ReportPoint>> curves, out DateTimeOffset? time)
    {
        time = null;
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("step", out var stepValue) || !stepValue.TryGetNumber(out var step))
            {
                return false;
            }
            var epoch = root.TryGetProperty("epoch", out var epochValue) && epochValue.TryGetNumber(out var e) ? e : double.NaN;
            time = root.TryGetProperty("time", out var timeValue) ? ReadTime(timeValue) : null;
            foreach (var property in root.EnumerateObject())
            {
                if (!NotMetrics.Contains(property.Name, StringComparer.Ordinal) && TryGetMetric(property.Value, out var value))
                {
                    Add(curves, property.Name, new((long)step, epoch, value));
                }
            }
            return true;
        }
        catch (JsonException)
        {
            return false;   // counted as a damaged line, which the summary reports
        }
    }

    private static void Add(SortedDictionary<string, List<ReportPoint>> curves, string name, ReportPoint point)
    {
        if (!curves.TryGetValue(name, out var points))
        {
            curves[name] = points = [];
        }
        while (points.Count > 0 && points[^1].Step >= point.Step)
        {
            points.RemoveAt(points.Count - 1);
        }
        points.Add(point);
    }

    private static bool TryGetMetric(JsonElement value, out double number)
    {
        number = double.NaN;
        return value.ValueKind == JsonValueKind.Null || value.TryGetNumber(out number)
            || (value.ValueKind == JsonValueKind.String && value.GetString() is "NaN" or "Infinity" or "-Infinity"
                && double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out number));
    }

    /// <summary>A time stamp as ISO 8601 text or as seconds since 1970.</summary>
    private static DateTimeOffset? ReadTime(JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time
        : value.TryGetNumber(out var seconds) && seconds is > 1e8 and < 1e11 ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
        : null;
}

file static class JsonElementExtensions
{
    public static bool TryGetNumber(this JsonElement element, out double number)
    {
        number = double.NaN;
        return element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out number);
    }
}

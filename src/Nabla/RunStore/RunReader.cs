using System.Globalization;
using System.Text.Json;
using Nabla.Core;
using Nabla.Training;
using YamlDotNet.Core;

namespace Nabla;

/// <summary>Reads one run folder. Whatever is missing or damaged is told in <see cref="RunSummary.Damage"/> instead of thrown.</summary>
internal static class RunReader
{
    private const string RecipeFile = "recipe.yaml", EnvironmentFile = "environment.json", MetricsFile = "metrics.jsonl", StatusFile = "status.json";

    /// <summary>Whether a folder holds at least one file of a run.</summary>
    public static bool LooksLikeRun(string path) =>
        new[] { RecipeFile, EnvironmentFile, MetricsFile, StatusFile }.Any(file => File.Exists(Path.Combine(path, file)));

    /// <summary>The run in one line.</summary>
    public static RunSummary Summarize(string path) => Read(path, withFiles: false).Summary;

    /// <summary>All that the folder holds.</summary>
    public static RunDetails Read(string path) => Read(path, withFiles: true);

    /// <summary>The curves of a run, with epochs counted from 1 as people do.</summary>
    public static IReadOnlyList<ReportCurve> Curves(string path) => [.. MetricHistory.Read(Path.Combine(path, MetricsFile)).Curves
        .Select(curve => curve with { Points = [.. curve.Points.Select(point => point with { Epoch = point.Epoch + 1 })] })];

    private static RunDetails Read(string path, bool withFiles)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        List<string> damage = [];
        if (!LooksLikeRun(path))
        {
            damage.Add($"it holds none of {RecipeFile}, {EnvironmentFile}, {MetricsFile} and {StatusFile}: not a run, or one that stopped before it began");
        }
        else if (!File.Exists(Path.Combine(path, RecipeFile)))
        {
            damage.Add($"{RecipeFile} is missing, so the model cannot be rebuilt");
        }
        var settings = Try(damage, RecipeFile, path, RunSettings.FromYaml) ?? [];
        var environment = Try(damage, EnvironmentFile, path, RunSettings.FromJson) ?? [];
        var status = ReadStatus(damage, path);
        var log = ReadMetrics(damage, path);
        var started = status?.StartedAt ?? log.First ?? TimeOfName(Path.GetFileName(path));
        var longest = log.Curves.Where(curve => curve.Points.Count > 0).Select(curve => curve.Points[^1]).DefaultIfEmpty().MaxBy(point => point.Step);
        RunSummary summary = new()
        {
            Id = Path.GetFileName(path),
            Name = Path.GetFileName(Path.GetDirectoryName(path)) is { Length: > 0 } name ? name : "run",
            Path = path,
            Status = StatusName(status),
            Error = status?.Error,
            StartedAt = started,
            Duration = status is { Seconds: > 0 and < 1e10 } ? TimeSpan.FromSeconds(status.Seconds) : log.Last - log.First,
            Steps = Math.Max(status?.Step ?? 0, longest.Step),
            Epochs = status is { Epoch: > 0 } ? status.Epoch : double.IsNaN(longest.Epoch) ? 0 : longest.Epoch,
            Metrics = log.Summarize(),
            Damage = damage.Count == 0 ? null : string.Join("; ", damage),
        };
        return withFiles
            ? new() { Summary = summary, Settings = settings, Environment = environment, Checkpoints = Checkpoints(path), Bytes = Size(path) }
            : new() { Summary = summary };
    }

    private static MetricHistory ReadMetrics(List<string> damage, string path)
    {
        try
        {
            var log = MetricHistory.Read(Path.Combine(path, MetricsFile));
            if (log.DamagedLines.Count > 0)
            {
                damage.Add($"{MetricsFile} has {log.DamagedLines.Count} damaged lines, the first in line {log.DamagedLines[0]}; they are left out");
            }
            return log;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            damage.Add($"{MetricsFile} cannot be read: {error.Message}");
            return new() { Curves = [] };
        }
    }

    private static IReadOnlyList<ReportFact>? Try(List<string> damage, string file, string folder, Func<string, IReadOnlyList<ReportFact>> read)
    {
        var path = Path.Combine(folder, file);
        if (!File.Exists(path))
        {
            return null;
        }
        try
        {
            return read(File.ReadAllText(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or YamlException)
        {
            damage.Add($"{file} cannot be read: {error.Message.TrimEnd('.')}");
            return null;
        }
    }

    private static string[] Checkpoints(string path)
    {
        var folder = Path.Combine(path, "checkpoints");
        return Directory.Exists(folder)
            ? [.. Directory.EnumerateDirectories(folder)
                .Where(checkpoint => File.Exists(Path.Combine(checkpoint, "manifest.json")))
                .Select(checkpoint => Path.GetFileName(checkpoint))
                .OrderBy(name => long.TryParse(name, CultureInfo.InvariantCulture, out var step) ? step : long.MaxValue)
                .ThenBy(name => name, StringComparer.Ordinal)]
            : [];
    }

    private static long Size(string path) => new DirectoryInfo(path)
        .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint })
        .Sum(file => file.Length);

    private static RunStatus? ReadStatus(List<string> damage, string path)
    {
        if (!File.Exists(Path.Combine(path, StatusFile)))
        {
            return null;
        }
        try
        {
            return RunFolder.Open(path).ReadStatus();
        }
        catch (CheckpointException error)
        {
            damage.Add($"{StatusFile} cannot be read: {(error.InnerException ?? error).Message.TrimEnd('.')}");
            return null;
        }
    }

    private static string StatusName(RunStatus? status) => status switch
    {
        null => "unknown",
        { State: RunState.Completed, StopReason: StopReason.EarlyStopping } => "stopped-early",
        _ => status.State.ToString().ToLowerInvariant(),
    };

    /// <summary>The UTC time that a run folder's name begins with: digits of year to second, with any separators.</summary>
    internal static DateTimeOffset? TimeOfName(string name)
    {
        var digits = string.Concat(name.Where(char.IsAsciiDigit).Take(14));
        return digits.Length == 14 && char.IsAsciiDigit(name[0])
            && DateTimeOffset.TryParseExact(digits, "yyyyMMddHHmmss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
    }
}

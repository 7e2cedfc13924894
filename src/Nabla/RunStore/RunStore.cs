using Nabla.Core;

namespace Nabla;

/// <summary>
/// Finds, lists and compares runs under a root folder, <c>root/name/UTC time-short id/</c>. Half-written and foreign folders are listed with
/// what is wrong with them. Reads only; thread-safe.
/// </summary>
/// <param name="root">The root folder; null: the folder that <c>NABLA_RUNS</c> names, or else <c>runs</c> in the working folder.</param>
public sealed class RunStore(string? root = null)
{
    private const string Latest = "latest";

    /// <summary>The root folder, a full path.</summary>
    public string Root { get; } = Path.GetFullPath(
        root ?? (Environment.GetEnvironmentVariable("NABLA_RUNS") is { Length: > 0 } folder ? folder : "runs"));

    /// <summary>Every run, the newest first. An absent root gives none.</summary>
    public IReadOnlyList<RunSummary> List() => [.. Folders().Select(RunReader.Summarize).OrderByDescending(Age).ThenByDescending(run => run.Id, StringComparer.Ordinal)];

    /// <summary>All that a run holds.</summary>
    /// <param name="reference">What <see cref="Find"/> takes.</param>
    /// <exception cref="RunNotFoundException">No run, or more than one, fits.</exception>
    public RunDetails Show(string reference) => RunReader.Read(Find(reference));

    /// <summary>Runs side by side: the settings in which they differ, and every metric.</summary>
    /// <param name="references">What <see cref="Find"/> takes; at least two.</param>
    /// <exception cref="RunNotFoundException">For one of them no run, or more than one, fits.</exception>
    public RunComparison Compare(IReadOnlyList<string> references)
    {
        ArgumentNullException.ThrowIfNull(references);
        return RunComparer.Compare([.. references.Select(Show)]);
    }

    /// <summary>The folder of one run.</summary>
    /// <param name="reference">
    /// A path; <c>latest</c>; a run's name (its newest run); the beginning of an id or of the short id at its end; or <c>name/</c> and one of these.
    /// </param>
    /// <returns>Its full path.</returns>
    /// <exception cref="RunNotFoundException">No run, or more than one, fits.</exception>
    public string Find(string reference)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(reference);
        if (Directory.Exists(reference) && RunReader.LooksLikeRun(reference))
        {
            return Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference));
        }
        var folders = Folders().Where(RunReader.LooksLikeRun).ToList();
        var (name, rest) = Split(reference);
        if (name is not null)
        {
            folders = [.. folders.Where(folder => NameOf(folder) == name)];
        }
        var exact = folders.Where(folder => Path.GetFileName(folder) == rest).ToList();
        var found = rest == Latest ? Newest(folders)
            : exact.Count > 0 ? exact
            : name is null && folders.Where(folder => NameOf(folder) == rest).ToList() is { Count: > 0 } named ? Newest(named)
            : folders.Where(folder => Fits(Path.GetFileName(folder), rest)).ToList();
        return found switch
        {
            [var one] => one,
            [] => throw new RunNotFoundException(NotFound(reference)),
            _ => throw new RunNotFoundException($"'{reference}' fits {found.Count} runs under {Root}: {Few(found)}. Give more letters of the id, or name/id."),
        };
    }

    private static (string? Name, string Run) Split(string reference)
    {
        var parts = reference.Trim().TrimEnd('/', '\\').Split('/', '\\');
        return parts is [var name, var rest] ? (name, rest) : (null, reference.Trim());
    }

    private static bool Fits(string id, string beginning) => id.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)
        || id[(id.LastIndexOf('-') + 1)..].StartsWith(beginning, StringComparison.OrdinalIgnoreCase);

    private static List<string> Newest(List<string> folders) =>
        [.. folders.Select(RunReader.Summarize).OrderByDescending(Age).ThenByDescending(run => run.Id, StringComparer.Ordinal).Take(1).Select(run => run.Path)];

    private static DateTimeOffset Age(RunSummary run) =>
        run.StartedAt ?? new DateTimeOffset(Directory.GetLastWriteTimeUtc(run.Path), TimeSpan.Zero);

    private static string NameOf(string folder) => Path.GetFileName(Path.GetDirectoryName(folder)) ?? "";

    private static string Few(List<string> folders) =>
        string.Join(", ", folders.Take(6).Select(folder => $"{NameOf(folder)}/{Path.GetFileName(folder)}")) + (folders.Count > 6 ? ", ..." : "");

    private string NotFound(string reference)
    {
        var folders = Folders().Where(RunReader.LooksLikeRun).ToList();
        if (Directory.Exists(reference))
        {
            return $"'{reference}' is a folder but not a run: it holds no recipe.yaml. Give the run folder itself, such as {Few(folders) switch { "" => "runs/shapes/20260101-120000-ab12", var few => few }}.";
        }
        if (folders.Count == 0)
        {
            return $"There is no run '{reference}': {Root} holds no runs. Train one with 'nabla train shapes', or name the folder in NABLA_RUNS.";
        }
        var nearest = NearestName.Find(reference, folders.SelectMany(folder => new[] { NameOf(folder), Path.GetFileName(folder) }).Distinct());
        return $"There is no run '{reference}' under {Root}.{(nearest is null ? "" : $" Did you mean '{nearest}'?")} There {(folders.Count == 1 ? "is" : "are")}: {Few(folders)}.";
    }

    /// <summary>Folders two levels down, and folders one level down that are runs themselves or hold nothing.</summary>
    private IEnumerable<string> Folders()
    {
        if (!Directory.Exists(Root))
        {
            yield break;
        }
        EnumerationOptions visible = new() { IgnoreInaccessible = true };   // leaves hidden folders out
        foreach (var outer in Directory.EnumerateDirectories(Root, "*", visible).Where(IsVisible).Order(StringComparer.Ordinal))
        {
            var inner = RunReader.LooksLikeRun(outer) ? [] : Directory.EnumerateDirectories(outer, "*", visible).Where(IsVisible).Order(StringComparer.Ordinal).ToList();
            if (inner.Count == 0)
            {
                yield return outer;
            }
            foreach (var folder in inner)
            {
                yield return folder;
            }
        }
    }

    private static bool IsVisible(string folder) => !Path.GetFileName(folder).StartsWith('.');
}

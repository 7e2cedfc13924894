using System.Globalization;
using System.Security.Cryptography;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// The folder of one training run, <c>runs/NAME/UTC time-short id/</c>: recipe, environment, metrics, checkpoints, report. It can be
/// copied to another machine and served from there. Thread-safe; writing while training is the right of who holds <see cref="Lock"/>.
/// </summary>
public sealed class RunFolder
{
    private const string StatusFile = "status.json";
    private const string EnvironmentFile = "environment.json";

    private RunFolder(string path) => FullPath = path;

    /// <summary>The folder.</summary>
    public string FullPath { get; }

    /// <summary>Name of the run, the folder above: <c>shapes</c>.</summary>
    public string Name => Path.GetFileName(Path.GetDirectoryName(FullPath)) ?? "";

    /// <summary>Time and short id: <c>2026-03-01T12-00-00Z-4f2a1c</c>.</summary>
    public string Id => Path.GetFileName(FullPath);

    /// <summary>The resolved, complete recipe.</summary>
    public string RecipePath => Path.Combine(FullPath, "recipe.yaml");

    /// <summary>Versions, device, commit and data hashes.</summary>
    public string EnvironmentPath => Path.Combine(FullPath, EnvironmentFile);

    /// <summary>One JSON object for each logged step.</summary>
    public string MetricsPath => Path.Combine(FullPath, "metrics.jsonl");

    /// <summary>What went wrong and did not end the run, one JSON object a line; there when anything has.</summary>
    public string IncidentsPath => Path.Combine(FullPath, "incidents.jsonl");

    /// <summary>One file for people.</summary>
    public string ReportPath => Path.Combine(FullPath, "report.html");

    /// <summary>Makes the folder of a new run.</summary>
    /// <param name="root">Folder of all runs, such as <c>runs</c>; it is made when missing.</param>
    /// <param name="name">Name of the run: letters, digits, <c>-</c>, <c>_</c> and <c>.</c>.</param>
    /// <param name="time">Clock; null: the system's.</param>
    /// <param name="chosen">Hears the folder's path before anything is there; null: nobody.</param>
    /// <exception cref="CheckpointException">The folder cannot be made.</exception>
    /// <exception cref="ArgumentException">The name has other characters.</exception>
    public static RunFolder Create(string root, string name, TimeProvider? time = null, Action<string>? chosen = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(root);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')) || name.All(c => c == '.'))
        {
            throw new ArgumentException($"A run's name may hold letters, digits, '-', '_' and '.'; it is '{name}'.", nameof(name));
        }
        var stamp = (time ?? TimeProvider.System).GetUtcNow().ToString("yyyy-MM-dd'T'HH-mm-ss'Z'", CultureInfo.InvariantCulture);
        var path = Path.GetFullPath(Path.Combine(root, name, $"{stamp}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}"));
        chosen?.Invoke(path);
        try
        {
            Directory.CreateDirectory(path);
            var folder = new RunFolder(path);
            folder.WriteStatus(new() { UpdatedAt = (time ?? TimeProvider.System).GetUtcNow() });
            return folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Remove(path);
            throw new CheckpointException($"{path}: expected to make a run folder here, got an error: {error.Message} Choose another place with --out, or free space.", error);
        }
    }

    /// <summary>Opens the folder of an existing run.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="CheckpointException">There is no run.</exception>
    public static RunFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!IsRun(full))
        {
            var reason = Directory.Exists(full) ? "a folder without status.json" : File.Exists(full) ? "a file" : "nothing at this path";
            throw new CheckpointException($"{full}: expected a run folder, got {reason}. See 'nabla runs list' for the runs there are.");
        }
        return new(full);
    }

    /// <summary>Whether a folder is a run's.</summary>
    /// <param name="path">The folder; it need not exist.</param>
    public static bool IsRun(string path) => File.Exists(Path.Combine(path, StatusFile));

    /// <summary>All runs below a root, oldest first.</summary>
    /// <param name="root">Folder of all runs.</param>
    public static IReadOnlyList<RunFolder> List(string root)
        => !Directory.Exists(root) ? [] : [.. Directory.EnumerateDirectories(root)
            .SelectMany(Directory.EnumerateDirectories)
            .Where(path => IsRun(path) && !Path.GetFileName(path).Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal)) // one being removed when its process was killed
            .Select(path => new RunFolder(Path.GetFullPath(path)))
            .OrderBy(run => run.Id, StringComparer.Ordinal).ThenBy(run => run.Name, StringComparer.Ordinal)];

    /// <summary>Takes the right to train in this folder; the caller disposes it.</summary>
    /// <exception cref="CheckpointException">Another process holds it, or the folder cannot be written.</exception>
    public RunLock Lock() => RunLock.Acquire(FullPath);

    /// <summary>How the run stands; a run that says it is running while no process holds its lock has crashed.</summary>
    /// <exception cref="CheckpointException">The status is missing or damaged.</exception>
    public RunStatus ReadStatus()
    {
        var status = RunJson.Read(Path.Combine(FullPath, StatusFile), RunJson.Default.RunStatus);
        return status.State == RunState.Running && !RunLock.IsHeld(FullPath) ? status with { State = RunState.Crashed } : status;
    }

    /// <summary>Replaces the status.</summary>
    /// <param name="status">How the run stands now.</param>
    public void WriteStatus(RunStatus status)
        => AtomicFile.Write(Path.Combine(FullPath, StatusFile), stream => stream.Write(RunJson.Bytes(status, RunJson.Default.RunStatus)));

    /// <summary>Stores the resolved recipe.</summary>
    /// <param name="yaml">Its text.</param>
    public void WriteRecipe(string yaml) => AtomicFile.WriteText(RecipePath, yaml);

    /// <summary>Stores what the run was made with.</summary>
    /// <param name="environment">Versions, device, commit, data hashes.</param>
    public void WriteEnvironment(RunEnvironment environment)
        => AtomicFile.Write(EnvironmentPath, stream => stream.Write(RunJson.Bytes(environment, RunJson.Default.RunEnvironment)));

    /// <summary>What the run was made with.</summary>
    /// <exception cref="CheckpointException">The file is missing or damaged.</exception>
    public RunEnvironment ReadEnvironment() => RunJson.Read(EnvironmentPath, RunJson.Default.RunEnvironment);

    /// <summary>Where the time of some steps went, as <c>nabla train --profile</c> found it.</summary>
    public string ProfilePath => Path.Combine(FullPath, "profile.json");

    /// <summary>The timeline of those steps in the Trace Event Format, for Perfetto or chrome://tracing.</summary>
    public string TracePath => Path.Combine(FullPath, "trace.json");

    /// <summary>The stored profile, or null when the run was not profiled.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public ProfileReport? ReadProfile() => File.Exists(ProfilePath) ? RunJson.Read(ProfilePath, RunJson.Default.ProfileReport) : null;

    /// <summary>Stores a profile and its timeline.</summary>
    internal void WriteProfile(ProfileReport report, Action<Stream> writeTrace)
    {
        AtomicFile.Write(TracePath, writeTrace);
        AtomicFile.Write(ProfilePath, stream => stream.Write(RunJson.Bytes(report, RunJson.Default.ProfileReport)));
    }

    /// <summary>The logged rows; a line cut off by a crash ends them.</summary>
    public IReadOnlyList<MetricsRow> ReadMetrics() => MetricsLog.Read(MetricsPath);

    /// <summary>Adds a line to the incidents.</summary>
    /// <param name="incident">What went wrong and did not end the run.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void AppendIncident(RunIncident incident)
    {
        ArgumentNullException.ThrowIfNull(incident);
        using var file = new FileStream(IncidentsPath, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        file.Write(incident.ToLine());
    }

    /// <summary>The incidents, oldest first; a line cut off by a crash is left out.</summary>
    public IReadOnlyList<RunIncident> ReadIncidents()
        => File.Exists(IncidentsPath) ? [.. File.ReadLines(IncidentsPath).Select(RunIncident.FromLine).OfType<RunIncident>()] : [];

    /// <summary>The run's checkpoints.</summary>
    /// <param name="logger">Hears of checkpoints that are damaged; null: nobody.</param>
    public CheckpointStore OpenCheckpoints(Microsoft.Extensions.Logging.ILogger? logger = null) => new(FullPath, logger);

    /// <summary>
    /// Removes a run's folder when training has not begun in it, so that a run that was refused leaves nothing behind; any other folder stays. Another thread may still be
    /// writing what comes before the first step: from then on its writing fails.
    /// </summary>
    /// <param name="path">The folder; it may have no status yet, and need not exist.</param>
    public static void DiscardUnlessBegun(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            var isUnbegun = IsRun(path)
                ? Open(path).ReadStatus().State == RunState.Created
                : Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).All(entry => Path.GetFileName(entry).Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal));
            if (isUnbegun)
            {
                Remove(path);
            }
        }
        catch (Exception error) when (error is CheckpointException or IOException or UnauthorizedAccessException)
        {
            // A damaged folder is left for people to look at, and one that another thread removes is gone; what refused the run is what the caller must hear.
        }
    }

    /// <summary>Removes a run's folder and the one above it if that is left empty.</summary>
    private static void Remove(string path)
    {
        try
        {
            var removed = path + AtomicFile.TemporaryMark + "removed"; // under another name nobody adds to it while it is emptied
            Directory.Move(path, removed);
            Directory.Delete(removed, recursive: true);
            var above = Path.GetDirectoryName(path)!;
            if (!Directory.EnumerateFileSystemEntries(above).Any())
            {
                Directory.Delete(above);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The error that led here is what the caller must hear; what is left says "created" of itself.
        }
    }
}

using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// The checkpoints of a run folder, <c>checkpoints/STEP/</c>, with <c>last</c> and <c>best</c> naming two of them. A checkpoint under its final name is whole:
/// it is written under a temporary name, flushed, and renamed. Not thread-safe; writers hold the run's lock.
/// </summary>
public sealed class CheckpointStore
{
    private const string FolderName = "checkpoints";
    private const string LastFile = "last";
    private const string BestFile = "best";
    private readonly string _run, _folder;
    private readonly ILogger _logger;
    private readonly CheckpointFiles _files;

    /// <summary>The store of a run folder; nothing is made before the first save.</summary>
    /// <param name="runFolder">The run folder.</param>
    /// <param name="logger">Hears of damaged checkpoints; null: nobody.</param>
    public CheckpointStore(string runFolder, ILogger? logger = null)
        : this(runFolder, logger, new())
    {
    }

    internal CheckpointStore(string runFolder, ILogger? logger, CheckpointFiles files)
    {
        ArgumentException.ThrowIfNullOrEmpty(runFolder);
        (_run, _folder, _logger, _files) = (runFolder, Path.Combine(runFolder, FolderName), logger ?? NullLogger.Instance, files);
    }

    /// <summary>Steps of the checkpoints that are there, rising. Damaged ones are among them.</summary>
    public IReadOnlyList<long> Steps => !Directory.Exists(_folder) ? [] : [.. Directory.EnumerateDirectories(_folder)
        .Select(path => long.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : -1)
        .Where(step => step >= 0).Order()];

    /// <summary>Step of the newest checkpoint as <c>last</c> names it, or null.</summary>
    public long? LastStep => ReadPointer(LastFile);

    /// <summary>Step of the best checkpoint as <c>best</c> names it, or null.</summary>
    public long? BestStep => ReadPointer(BestFile);

    /// <summary>Folder of a step's checkpoint.</summary>
    /// <param name="step">The step.</param>
    public string PathOf(long step) => Path.Combine(_folder, step.ToString(CultureInfo.InvariantCulture));

    /// <summary>Writes a checkpoint, points <c>last</c> (and <c>best</c>) at it, and removes those that are no longer kept.</summary>
    /// <param name="content">What to write.</param>
    /// <param name="keepLast">How many of the newest are kept besides the best, at least 1.</param>
    /// <param name="keepEvery">Those whose step is a multiple of this are kept for good; null: none.</param>
    /// <returns>The checkpoint's folder.</returns>
    /// <exception cref="CheckpointException">It cannot be written; the earlier ones stay whole.</exception>
    public string Save(CheckpointContent content, int keepLast, long? keepEvery = null)
    {
        ArgumentNullException.ThrowIfNull(content);
        ArgumentOutOfRangeException.ThrowIfLessThan(keepLast, 1);
        var target = PathOf(content.State.Step);
        for (var attempt = 1; ; attempt++)
        {
            var temporary = TemporaryName("write");
            try
            {
                return Write(temporary, target, content, keepLast, keepEvery);
            }
            catch (IOException error) when (attempt < TransientErrors.Tries && TransientErrors.Is(error))
            {
                RemoveLeftover(temporary);
                TrainingLog.TryingAgain(_logger, target, error.Message);
                _files.Pause(TransientErrors.Pause(attempt + 1));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                RemoveLeftover(temporary);
                throw new CheckpointException($"{target}: expected to write a checkpoint, got an error: {error.Message} Free disk space or make the folder writable, then resume; the earlier checkpoints are whole.", error);
            }
        }
    }

    private string Write(string temporary, string target, CheckpointContent content, int keepLast, long? keepEvery)
    {
        _files.CreateFolder(temporary);
        WriteFiles(temporary, content);
        _files.Sync(temporary);
        if (Directory.Exists(target)) // a damaged one, or the same step of a run that was resumed from before it
        {
            _files.RenameFolder(target, TemporaryName("replaced"));
        }
        _files.RenameFolder(temporary, target);
        _files.Sync(_folder);
        // Nothing measured: the newest counts as the best. Measured, but its checkpoint lost to damage: none does.
        var best = content.State.Best is not { } evaluation ? content.State.Step : Directory.Exists(PathOf(evaluation.Step)) ? evaluation.Step : (long?)null;
        if (best is { } bestStep)
        {
            _files.WritePointer(Path.Combine(_run, BestFile), Pointer(bestStep));
        }
        _files.WritePointer(Path.Combine(_run, LastFile), Pointer(content.State.Step));
        _files.Sync(_run); // before anything that the pointers named is removed
        Prune(keepLast, best, keepEvery);
        return target;
    }

    /// <summary>Opens the checkpoint of a step.</summary>
    /// <param name="step">The step.</param>
    /// <exception cref="CheckpointException">It is missing, half written, damaged or from a newer version.</exception>
    public Checkpoint Open(long step)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Checkpoint.Open(PathOf(step));
            }
            catch (CheckpointException error) when (attempt < TransientErrors.Tries && TransientErrors.Is(error.InnerException))
            {
                TrainingLog.TryingAgain(_logger, PathOf(step), error.Message);
                _files.Pause(TransientErrors.Pause(attempt + 1));
            }
        }
    }

    /// <summary>Opens the newest checkpoint that is whole; each damaged one on the way is reported as a warning.</summary>
    /// <returns>The checkpoint, or null when the run has none at all.</returns>
    /// <exception cref="CheckpointException">There are checkpoints, but none is whole, or a newer version of Nabla wrote one.</exception>
    public Checkpoint? OpenNewestGood() => OpenNewestGood(null);

    /// <summary>As <see cref="OpenNewestGood()"/>; <paramref name="damaged"/> also hears of each damaged one, its step and why.</summary>
    internal Checkpoint? OpenNewestGood(Action<long, string>? damaged)
    {
        List<CheckpointException> errors = [];
        foreach (var step in Steps.Reverse())
        {
            try
            {
                return Open(step);
            }
            catch (CheckpointException error) when (!Checkpoint.IsNewer(error))
            {
                errors.Add(error);
                damaged?.Invoke(step, error.Message);
                TrainingLog.DamagedCheckpoint(_logger, step, error.Message);
            }
        }
        return errors.Count == 0 ? null : throw new CheckpointException($"{_folder}: none of {errors.Count} checkpoints is whole. {errors[0].Message}", errors[0]);
    }

    /// <summary>Opens the best checkpoint; the newest whole one when no best is named.</summary>
    /// <exception cref="CheckpointException">It is damaged, or the run has no checkpoint.</exception>
    public Checkpoint OpenBest() => BestStep is { } step ? Open(step) : OpenNewestGood()
        ?? throw new CheckpointException($"{_run}: expected a checkpoint, got none. The run stopped before its first; train it again.");

    /// <summary>Removes what a crash left behind and the checkpoints after a step; called on resume under the run's lock.</summary>
    /// <param name="step">The step that training goes on from, or null when it starts anew.</param>
    internal void CleanUp(long? step)
    {
        if (!Directory.Exists(_folder))
        {
            return;
        }
        foreach (var later in Steps.Where(other => step is null || other > step).ToList())
        {
            Remove(later);
        }
        foreach (var leftover in Directory.EnumerateDirectories(_folder, "*" + AtomicFile.TemporaryMark + "*").ToList())
        {
            _files.DeleteFolder(leftover);
        }
        if (BestStep is { } best && !Directory.Exists(PathOf(best)))
        {
            File.Delete(Path.Combine(_run, BestFile)); // it was removed for a later one that turned out damaged
        }
        if (step is { } last)
        {
            _files.WritePointer(Path.Combine(_run, LastFile), Pointer(last));
        }
        foreach (var leftover in Directory.EnumerateFiles(_run, "*" + AtomicFile.TemporaryMark + "*").ToList())
        {
            File.Delete(leftover);
        }
    }

    /// <summary>Finds out before training whether checkpoints can be written here.</summary>
    /// <param name="bytes">Size of one checkpoint.</param>
    /// <exception cref="CheckpointException">The folder cannot be written, or has less space than two checkpoints need.</exception>
    internal void Probe(long bytes)
    {
        var path = Path.Combine(_run, "probe" + AtomicFile.TemporaryMark + Guid.NewGuid().ToString("N"));
        try
        {
            _files.CreateFolder(_folder);
            _files.ProbeSpace(path, bytes * 2); // while a new one is written, the old one is still there
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{_run}: expected a folder that can be written, with {bytes * 2} bytes free for two checkpoints, got an error: {error.Message} Free space, or choose another folder with --out.", error);
        }
    }

    private void WriteFiles(string folder, CheckpointContent content)
    {
        var files = new SortedDictionary<string, ManifestFile>(StringComparer.Ordinal);
        WriteTensors(Checkpoint.ModelFile, content.Model);
        WriteTensors(Checkpoint.OptimizerFile, content.Optimizer);
        if (content.Average is not null)
        {
            WriteTensors(Checkpoint.AverageFile, content.Average);
        }
        WriteBytes(Checkpoint.StateFile, RunJson.Bytes(content.State, RunJson.Default.CheckpointState));
        var manifest = new CheckpointManifest { Format = content.State.Format, Step = content.State.Step, WrittenBy = RunEnvironment.NablaVersion, Files = files }.Sealed();
        WriteBytes(Checkpoint.ManifestFileName, RunJson.Bytes(manifest, RunJson.Default.CheckpointManifest));

        void WriteTensors(string name, IReadOnlyDictionary<string, Tensor> tensors)
        {
            var path = Path.Combine(folder, name);
            SafeTensorsDigest? digest = null;
            _files.Write(path, stream => digest = SafeTensorsFile.WriteTo(stream, path, tensors, null));
            files[name] = new(new FileInfo(path).Length, digest!.File, new(digest.Tensors.ToDictionary(), StringComparer.Ordinal));
        }

        void WriteBytes(string name, byte[] bytes)
        {
            _files.Write(Path.Combine(folder, name), stream => stream.Write(bytes));
            files[name] = new(bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
        }
    }

    private void Prune(int keepLast, long? best, long? keepEvery)
    {
        foreach (var step in Steps.SkipLast(keepLast).Where(step => step != best && (keepEvery is null || step % keepEvery != 0)))
        {
            Remove(step);
        }
        foreach (var replaced in Directory.EnumerateDirectories(_folder, "*" + AtomicFile.TemporaryMark + "*").ToList())
        {
            _files.DeleteFolder(replaced);
        }
    }

    // Renamed first, so that a crash while deleting leaves no half checkpoint under a final name.
    private void Remove(long step)
    {
        var away = TemporaryName("removed");
        _files.RenameFolder(PathOf(step), away);
        _files.DeleteFolder(away);
    }

    private void RemoveLeftover(string folder)
    {
        try
        {
            if (Directory.Exists(folder))
            {
                _files.DeleteFolder(folder);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            TrainingLog.LeftoverStays(_logger, folder, error.Message);
        }
    }

    private long? ReadPointer(string name)
    {
        var path = Path.Combine(_run, name);
        if (!File.Exists(path))
        {
            return null;
        }
        var text = File.ReadAllText(path).Trim();
        return text.StartsWith(FolderName + "/", StringComparison.Ordinal) && long.TryParse(text.AsSpan(FolderName.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var step)
            ? step
            : throw new CheckpointException($"{path}: expected '{FolderName}/STEP', got '{(text.Length > 80 ? text[..80] : text)}'. The file is damaged; write the folder of a checkpoint into it.");
    }

    private static string Pointer(long step) => string.Create(CultureInfo.InvariantCulture, $"{FolderName}/{step}\n");

    private string TemporaryName(string purpose) => Path.Combine(_folder, $"{purpose}{AtomicFile.TemporaryMark}{Guid.NewGuid():N}");
}

using System.Security.Cryptography;
using System.Text.Json;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>A checkpoint on disk, verified when it was opened. Holds no tensors and no open files.</summary>
public sealed class Checkpoint
{
    internal const string ModelFile = "model.safetensors";
    internal const string OptimizerFile = "optimizer.safetensors";
    internal const string AverageFile = "ema.safetensors";
    internal const string StateFile = "state.json";
    internal const string ManifestFileName = "manifest.json";

    private const string NewerMark = "newer";

    private readonly CheckpointManifest _manifest;

    private Checkpoint(string folder, CheckpointManifest manifest, CheckpointState state) => (FullPath, _manifest, State) = (folder, manifest, state);

    /// <summary>The checkpoint's folder.</summary>
    public string FullPath { get; }

    /// <summary>Optimiser steps taken when it was written.</summary>
    public long Step => State.Step;

    /// <summary>The place in training.</summary>
    public CheckpointState State { get; }

    /// <summary>Whether it holds averaged weights.</summary>
    public bool HasAverage => _manifest.Files.ContainsKey(AverageFile);

    /// <summary>The file of the weights that are evaluated and served: the average where there is one, else the model.</summary>
    public string ServedWeightsPath => Path.Combine(FullPath, HasAverage ? AverageFile : ModelFile);

    /// <summary>Opens a checkpoint after checking the sum of every file in it.</summary>
    /// <param name="folder">The checkpoint's folder.</param>
    /// <exception cref="CheckpointException">It is half written, damaged or from a newer version; the message names the file, and the tensor if it can.</exception>
    public static Checkpoint Open(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        var manifest = ReadManifest(folder);
        foreach (var (name, file) in manifest.Files)
        {
            VerifyFile(Path.Combine(folder, name), file);
        }
        var statePath = Path.Combine(folder, StateFile);
        if (!manifest.Files.ContainsKey(StateFile) || !manifest.Files.ContainsKey(ModelFile))
        {
            throw new CheckpointException($"{Path.Combine(folder, ManifestFileName)}: expected {ModelFile} and {StateFile} among the files, got {string.Join(", ", manifest.Files.Keys)}. Use another checkpoint.");
        }
        var state = RunJson.Read(statePath, RunJson.Default.CheckpointState);
        CheckFormat(statePath, state.Format, manifest.WrittenBy);
        return new(Path.GetFullPath(folder), manifest, state);
    }

    /// <summary>Whether an error of <see cref="Open"/> says that a newer version wrote the checkpoint: it is whole, and nothing may be put in its place.</summary>
    internal static bool IsNewer(CheckpointException error) => error.Data.Contains(NewerMark);

    /// <summary>Loads the weights that are evaluated and served into a module of the same shape.</summary>
    /// <param name="module">The module; it keeps its device and types.</param>
    /// <exception cref="CheckpointException">Names, shapes or types do not fit; all differences are listed.</exception>
    public void LoadServedWeights(Module module) => Load(module, Path.GetFileName(ServedWeightsPath), null);

    /// <summary>Loads the weights that are evaluated and served into a module that names some parameters otherwise.</summary>
    /// <param name="module">The module; it keeps its device and types.</param>
    /// <param name="map">The names.</param>
    /// <exception cref="CheckpointException">Names, shapes or types do not fit; all differences are listed.</exception>
    public void LoadServedWeights(Module module, ParameterMap map) => Load(module, Path.GetFileName(ServedWeightsPath), map);

    /// <summary>Loads the weights as they were trained, not averaged.</summary>
    /// <param name="module">The module; it keeps its device and types.</param>
    /// <exception cref="CheckpointException">Names, shapes or types do not fit; all differences are listed.</exception>
    public void LoadTrainedWeights(Module module) => Load(module, ModelFile, null);

    /// <summary>Loads the weights as they were trained into a module that names some parameters otherwise.</summary>
    /// <param name="module">The module; it keeps its device and types.</param>
    /// <param name="map">The names, or null when they are the same.</param>
    /// <exception cref="CheckpointException">Names, shapes or types do not fit; all differences are listed.</exception>
    public void LoadTrainedWeights(Module module, ParameterMap? map) => Load(module, ModelFile, map);

    /// <summary>State of the optimiser by key; the caller owns the tensors.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public IReadOnlyDictionary<string, Tensor> ReadOptimizer() => SafeTensorsFile.Read(Path.Combine(FullPath, OptimizerFile));

    /// <summary>Averaged weights by the module's keys, or null when there are none; the caller owns the tensors.</summary>
    /// <exception cref="CheckpointException">The file is damaged.</exception>
    public IReadOnlyDictionary<string, Tensor>? ReadAverage() => HasAverage ? SafeTensorsFile.Read(Path.Combine(FullPath, AverageFile)) : null;

    private void Load(Module module, string file, ParameterMap? map)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(FullPath, file);
        IReadOnlyDictionary<string, Tensor> tensors = SafeTensorsFile.Read(path);
        ModuleState.Load(module, map?.Apply(tensors, path) ?? tensors, path);
    }

    private static CheckpointManifest ReadManifest(string folder)
    {
        var path = Path.Combine(folder, ManifestFileName);
        if (!File.Exists(path))
        {
            throw new CheckpointException($"{path}: expected the manifest, got {(Directory.Exists(folder) ? "a folder without one: the checkpoint is half written" : "no such checkpoint")}. Use an earlier checkpoint.");
        }
        var (format, writtenBy) = ReadFormat(path);
        CheckFormat(path, format, writtenBy);
        var manifest = RunJson.Read(path, RunJson.Default.CheckpointManifest);
        // The bytes too: a changed letter in the name of an empty field would leave the content, and so the sum, as it was.
        var isWhole = manifest.IsSealed() && RunJson.Bytes(manifest, RunJson.Default.CheckpointManifest).AsSpan().SequenceEqual(File.ReadAllBytes(path));
        return isWhole ? manifest : throw new CheckpointException($"{path}: the manifest does not fit its own sum: it is damaged. Use an earlier checkpoint.");
    }

    // Read by itself first: the rest of a newer format may not parse at all.
    private static (int Format, string? WrittenBy) ReadFormat(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            return (root.GetProperty("format").GetInt32(), root.TryGetProperty("written_by", out var version) ? version.ToString() : null);
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: expected a readable manifest with a format number, got an error: {error.Message} Use an earlier checkpoint.", error);
        }
    }

    private static void CheckFormat(string path, int format, string? writtenBy)
    {
        // The writer's name tells a newer format from a damaged digit: formats from 2 on have it, and no version writes one that it cannot read.
        if (format > CheckpointState.CurrentFormat && writtenBy is not null && writtenBy != RunEnvironment.NablaVersion)
        {
            var newer = new CheckpointException($"{path}: expected format 1 to {CheckpointState.CurrentFormat}, got {format}: it was written by a newer version of Nabla, {writtenBy}; this is {RunEnvironment.NablaVersion}. Update Nabla, or use another checkpoint.");
            newer.Data[NewerMark] = true;
            throw newer;
        }
        if (format is < 1 or > CheckpointState.CurrentFormat)
        {
            throw new CheckpointException($"{path}: expected format 1 to {CheckpointState.CurrentFormat}, got {format}, which no version of Nabla has written: the file is damaged. Use another checkpoint.");
        }
    }

    private static void VerifyFile(string path, ManifestFile expected)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (stream.Length != expected.Bytes)
            {
                throw new CheckpointException($"{path}: expected {expected.Bytes} bytes, got {stream.Length}. The checkpoint is damaged; use an earlier one.");
            }
            var actual = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (actual != expected.Sha256)
            {
                throw new CheckpointException($"{path}: expected SHA-256 {expected.Sha256}, got {actual}{FirstDamagedTensor(path, expected)}. The checkpoint is damaged; use an earlier one.");
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: expected a readable file of {expected.Bytes} bytes, got an error: {error.Message} The checkpoint is damaged; use an earlier one.", error);
        }
    }

    private static string FirstDamagedTensor(string path, ManifestFile expected)
    {
        if (expected.Tensors is null)
        {
            return "";
        }
        try
        {
            using var file = SafeTensorsFile.Open(path);
            var damaged = expected.Tensors.Where(tensor => !file.Entries.ContainsKey(tensor.Key) || file.ComputeSha256(tensor.Key) != tensor.Value).Select(tensor => tensor.Key).FirstOrDefault();
            return damaged is null ? " (the tensors themselves are whole)" : $" (first damaged tensor: '{damaged}')";
        }
        catch (CheckpointException)
        {
            return " (its header is damaged)";
        }
    }
}

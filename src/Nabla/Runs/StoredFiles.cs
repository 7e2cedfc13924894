using System.Security.Cryptography;
using Nabla.Core;
using Nabla.Training;

namespace Nabla;

/// <summary>
/// The files beside the checkpoints from which a model and its inputs are rebuilt. Their sums stand in <c>environment.json</c>: a changed
/// digit in a scaler would otherwise change answers without anyone seeing it.
/// </summary>
internal static class StoredFiles
{
    private static readonly string[] Names = ["recipe.yaml", Preprocessing.FileName];

    /// <summary>SHA-256 of each file, by name.</summary>
    public static IReadOnlyDictionary<string, string> Sums(RunFolder run)
        => Names.ToDictionary(name => name, name => Sum(Path.Combine(run.FullPath, name)), StringComparer.Ordinal);

    /// <summary>Checks the files of a run that has stored their sums; one that is missing is left to its reader.</summary>
    /// <exception cref="CheckpointException">A file is not as the run wrote it.</exception>
    public static void Check(RunFolder run)
    {
        if (!File.Exists(run.EnvironmentPath))
        {
            return; // it stopped before it stored them, and so before any checkpoint
        }
        var sums = run.ReadEnvironment().Files;
        foreach (var name in Names)
        {
            var path = Path.Combine(run.FullPath, name);
            if (sums.TryGetValue(name, out var expected) && File.Exists(path) && Sum(path) is var actual && actual != expected)
            {
                throw new CheckpointException($"{path}: expected the file as the run wrote it (SHA-256 {expected}), got {actual}. It is damaged or was edited. Copy the run folder again from where it is whole, or train again.");
            }
        }
    }

    private static string Sum(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}

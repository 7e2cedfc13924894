using System.Security.Cryptography;

namespace Nabla.Training.Tests;

/// <summary>Bits of a module, to compare two of them exactly.</summary>
internal static class Weights
{
    /// <summary>A sum over all parameters and buffers, by name.</summary>
    public static string Sum(nn.Module module)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, value) in ModuleState.Collect(module).OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(name));
            using var scope = NewDisposeScope();
            hash.AppendData(value.detach().contiguous().bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

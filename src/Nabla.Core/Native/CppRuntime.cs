using System.Runtime.InteropServices;

namespace Nabla.Core.Native;

/// <summary>The C++ runtime (libstdc++) that this process uses on Linux.</summary>
/// <param name="File">Its file.</param>
/// <param name="Versions">The GLIBCXX versions that it gives.</param>
internal sealed record CppRuntime(string File, IReadOnlyCollection<string> Versions)
{
    /// <summary>The newest GLIBCXX version that it gives.</summary>
    public string Newest => Versions
        .Where(version => version.StartsWith("GLIBCXX_3.4", StringComparison.Ordinal))
        .MaxBy(version => Version.TryParse(version["GLIBCXX_".Length..], out var parsed) ? parsed : new Version(0, 0)) ?? "none";

    /// <summary>Finds it by loading it, as any C++ library would; null when there is none.</summary>
    public static CppRuntime? Find()
    {
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out _))
        {
            return null;
        }
        var file = System.IO.File.ReadLines("/proc/self/maps")
            .Select(line => line[(line.LastIndexOf(' ') + 1)..])
            .FirstOrDefault(path => Path.GetFileName(path).StartsWith("libstdc++.so", StringComparison.Ordinal));
        return file is null ? null : new(file, [.. ElfFile.Parse(System.IO.File.ReadAllBytes(file)).DefinedVersions()]);
    }
}

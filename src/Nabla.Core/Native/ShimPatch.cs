namespace Nabla.Core.Native;

/// <summary>
/// Makes TorchSharp's Linux library loadable beside an older C++ runtime than the one it was linked against. Debian 12 gives
/// GLIBCXX_3.4.30 and RHEL 9 GLIBCXX_3.4.29, while TorchSharp 0.107 asks for two symbols above:
/// <list type="bullet">
/// <item><c>std::ios_base_library_init()</c> of 3.4.32, which sets up the standard streams. libtorch, loaded before, has done
/// that already, so a call of the harmless <c>getpid</c> stands in for it.</item>
/// <item><c>std::condition_variable::wait</c> of 3.4.30, which older runtimes give as 3.4.11 with the same interface.</item>
/// </list>
/// The file in the package folder is never changed; a copy is.
/// </summary>
internal static class ShimPatch
{
    internal const string StreamInitializer = "_ZSt21ios_base_library_initv";

    /// <summary>Each version that can be done without: what it is replaced by, and the only symbols that may stand behind it.</summary>
    private static readonly (string From, string To, string[] Symbols)[] Replacements =
    [
        ("GLIBCXX_3.4.32", "GLIBCXX_3.4.21", [StreamInitializer]),
        ("GLIBCXX_3.4.30", "GLIBCXX_3.4.11", ["_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE"]),
    ];

    /// <summary>
    /// The library's bytes, changed where <paramref name="present"/> lacks a version; null when nothing is missing.
    /// </summary>
    /// <param name="library">Bytes of the library; changed in place.</param>
    /// <param name="present">Versions that the C++ runtime gives.</param>
    /// <param name="unsolved">Versions that are missing and cannot be done without.</param>
    public static byte[]? Apply(byte[] library, IReadOnlyCollection<string> present, out IReadOnlyList<string> unsolved)
    {
        var elf = ElfFile.Parse(library);
        var missing = Missing(elf, present);
        foreach (var (from, to, symbols) in Replacements)
        {
            if (!missing.Contains(from) || elf.SymbolsNeeding(from).Except(symbols).Any())
            {
                continue;
            }
            if (symbols.Contains(StreamInitializer))
            {
                elf.ReplaceUndefinedSymbol(StreamInitializer, "getpid");
            }
            elf.ReplaceNeededVersion(from, to);
        }
        unsolved = Missing(elf, present);
        return missing.Count > 0 ? elf.Bytes.ToArray() : null;
    }

    private static List<string> Missing(ElfFile elf, IReadOnlyCollection<string> present)
        => [.. elf.NeededVersions()
            .Where(need => need.Library.StartsWith("libstdc++", StringComparison.Ordinal))
            .Select(need => need.Version)
            .Where(version => !present.Contains(version))];
}

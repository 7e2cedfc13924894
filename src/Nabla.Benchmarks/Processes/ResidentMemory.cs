using System.Diagnostics;
using System.Globalization;

namespace Nabla.Benchmarks;

/// <summary>Memory of this process that lies in real memory.</summary>
internal static class ResidentMemory
{
    private const string StatusFile = "/proc/self/status", PeakField = "VmHWM:";

    /// <summary>The largest resident set so far, in bytes.</summary>
    public static long Peak()
    {
        if (File.Exists(StatusFile))
        {
            var line = File.ReadLines(StatusFile).First(text => text.StartsWith(PeakField, StringComparison.Ordinal));
            return 1024 * long.Parse(line[PeakField.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture);
        }
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }
}

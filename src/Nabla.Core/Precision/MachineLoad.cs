using System.Globalization;

namespace Nabla.Core;

/// <summary>Whether others use the machine, so that what is measured now says little about later.</summary>
internal static class MachineLoad
{
    /// <summary>Whether, over the last minute, more threads wanted to run than there are cores; false where the system does not tell (it is asked on Linux).</summary>
    public static bool IsHigh()
    {
        const string File = "/proc/loadavg"; // "0.52 0.58 0.59 1/467 12345": averages of 1, 5 and 15 minutes, proc(5)
        try
        {
            return System.IO.File.Exists(File)
                && System.IO.File.ReadAllText(File).Split(' ') is [var minute, ..]
                && double.TryParse(minute, NumberStyles.Float, CultureInfo.InvariantCulture, out var load)
                && load > Environment.ProcessorCount;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return false; // as good as not told
        }
    }
}

using System.Globalization;
using System.Runtime.InteropServices;

namespace Nabla.Cli;

/// <summary>Keeps the details of a problem that no exception type of ours describes, so that the console stays readable.</summary>
internal static class CrashLog
{
    /// <summary>Writes exception, versions and command line to a file in the folder for temporary files.</summary>
    /// <param name="problem">The problem.</param>
    /// <returns>The file, or null when it cannot be written.</returns>
    public static string? TryWrite(Exception problem)
    {
        var time = TimeProvider.System.GetUtcNow();
        var file = Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"nabla-crash-{time:yyyyMMdd-HHmmss}-{Environment.ProcessId}.log"));
        try
        {
            File.WriteAllText(file, string.Create(CultureInfo.InvariantCulture, $"""
                time: {time:O}
                nabla: {typeof(CrashLog).Assembly.GetName().Version}
                runtime: {RuntimeInformation.FrameworkDescription}
                system: {RuntimeInformation.OSDescription} {RuntimeInformation.OSArchitecture}
                command: {Environment.CommandLine}

                {problem}

                """));
            return file;
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

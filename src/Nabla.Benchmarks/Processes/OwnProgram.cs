using System.Diagnostics;

namespace Nabla.Benchmarks;

/// <summary>Starts this program again, as a user starts it: what a process costs shows only in one of its own.</summary>
internal static class OwnProgram
{
    /// <summary>Runs this program to its end.</summary>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="cancellationToken">Ends the process.</param>
    /// <param name="environment">Variables that it has beside or instead of ours; null: none.</param>
    /// <returns>What it wrote to standard output, and its seconds from start to end.</returns>
    /// <exception cref="TrainingException">It ended with an error; the message holds what it said.</exception>
    public static (string Output, double Seconds) Run(IReadOnlyList<string> arguments, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = Stopwatch.GetTimestamp();
        var info = StartInfo(arguments);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            info.Environment[name] = value;
        }
        using var process = Process.Start(info) ?? throw new TrainingException("nabla bench: this program could not be started again.");
        using var registration = cancellationToken.Register(() => process.Kill(entireProcessTree: true));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        cancellationToken.ThrowIfCancellationRequested();
        return process.ExitCode == 0
            ? (output, seconds)
            : throw new TrainingException($"nabla bench: '{string.Join(' ', arguments)}' ended with exit code {process.ExitCode}: {errors.Result.Trim()}");
    }

    /// <summary>How this program is started: itself, or <c>dotnet</c> with its assembly.</summary>
    internal static ProcessStartInfo StartInfo(IReadOnlyList<string> arguments)
    {
        var host = Environment.ProcessPath ?? throw new TrainingException("nabla bench: the system does not say where this program lies, so it cannot be started again. Leave the suite startup out.");
        var start = new ProcessStartInfo(host) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(host) == "dotnet")
        {
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        }
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        return start;
    }
}

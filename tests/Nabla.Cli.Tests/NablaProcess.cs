using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nabla.Cli.Tests;

/// <summary>The program as a process of its own, as a user starts it.</summary>
internal static partial class NablaProcess
{
    /// <summary>SIGINT. A shell without a terminal lets its children ignore it: start them by <c>env --default-signal=INT</c>.</summary>
    public const int Interrupt = 2;

    /// <summary>The built command line.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Nabla.Cli.dll");

    /// <summary>Runs the program to its end.</summary>
    public static Task<CommandLineOutcome> RunAsync(params string[] arguments) => EndAsync(Start([Program, .. arguments]));

    /// <summary>Starts <c>dotnet</c> with a program and its arguments, without an input.</summary>
    public static Process Start(string[] arguments, params (string Name, string Value)[] environment) => StartAny("dotnet", arguments, environment);

    /// <summary>Starts a program without an input.</summary>
    public static Process StartAny(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Waits for the end of a process and disposes it.</summary>
    public static async Task<CommandLineOutcome> EndAsync(Process process)
    {
        using (process)
        {
            var cancellationToken = TestContext.Current.CancellationToken;
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromMinutes(3), cancellationToken);
            return new(process.ExitCode, await output, await error);
        }
    }

    /// <summary>Sends a signal.</summary>
    [LibraryImport("libc", EntryPoint = "kill")]
    public static partial int Kill(int process, int signal);
}

using Spectre.Console;

namespace Nabla.Cli;

/// <summary>Chooses the display that the terminal can show.</summary>
internal static class TrainingDisplay
{
    // Set by the usual build services; their logs keep every redraw.
    private static readonly string[] BuildServices = ["CI", "GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "TEAMCITY_VERSION", "JENKINS_URL"];

    /// <summary>A display: live when it writes to standard error and that is a terminal, plain lines otherwise.</summary>
    /// <param name="error">Where to write, usually standard error.</param>
    /// <param name="time">The clock; null: the system's.</param>
    public static ITrainingDisplay Create(TextWriter error, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var isTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
        return CanBeLive(!isTerminal, Environment.GetEnvironmentVariable)
            && AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(error) }) is { Profile.Capabilities.Ansi: true } console
            ? new LiveTrainingDisplay(console, time, handleSignals: true)
            : new PlainTrainingDisplay(error, time);
    }

    /// <summary>Whether pictures may be drawn: into a terminal, that is not simple, whose user did not ask for plain text.</summary>
    /// <param name="isRedirected">Whether standard error goes to a file or pipe.</param>
    /// <param name="environment">Gives environment variables.</param>
    internal static bool CanBeLive(bool isRedirected, Func<string, string?> environment) =>
        !isRedirected
        && environment("NO_COLOR") is null or ""   // no-color.org
        && environment("TERM") is not "dumb"
        && BuildServices.All(name => environment(name) is null or "" or "false" or "0");
}

using System.Diagnostics;

namespace Nabla.Cli;

/// <summary>
/// A trainer as a child process. It writes to this process's own standard output and error, so display and JSON line are its own; requests to end
/// go to it through its standard input.
/// </summary>
internal sealed class TrainerProcess : IDisposable
{
    private readonly Process _process;

    private TrainerProcess(Process process) => _process = process;

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts this program with other arguments.</summary>
    /// <param name="arguments">The arguments.</param>
    /// <param name="folderFile">File that takes the run folder.</param>
    public static TrainerProcess Start(IEnumerable<string> arguments, string folderFile)
    {
        var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known.");
        var isHost = Path.GetFileNameWithoutExtension(program) == "dotnet"; // dotnet Nabla.Cli.dll, as the launcher does it
        var start = new ProcessStartInfo(program, isHost ? [typeof(TrainerProcess).Assembly.Location, .. arguments] : arguments) { RedirectStandardInput = true };
        start.Environment[Supervision.Variable] = folderFile;
        return new(Process.Start(start)!);
    }

    /// <summary>Hands on a request to end.</summary>
    /// <param name="request">One of <see cref="Supervision"/>.</param>
    public void Send(string request)
    {
        try
        {
            _process.StandardInput.WriteLine(request);
            _process.StandardInput.Flush();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // It has ended by itself; whoever waits for it hears so.
        }
    }

    /// <summary>Waits for its end.</summary>
    /// <returns>Its exit code; 128 and the signal's number when a signal ended it.</returns>
    public async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync().ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public void Dispose() => _process.Dispose();
}

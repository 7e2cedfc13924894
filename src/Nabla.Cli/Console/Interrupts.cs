using System.Runtime.InteropServices;

namespace Nabla.Cli;

/// <summary>
/// How a verb is asked to end. Ctrl-C works in two steps: the first asks for a good end (finish the step, save), the second leaves at once.
/// SIGTERM and SIGHUP ask for a good end too, which then counts as success; asked twice, as by a manager of processes and by the group's
/// leader, they still ask once.
/// </summary>
internal sealed partial class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = []; // kept: a registration that is collected stops listening
    private CommandOutput? _output;
    private int _interrupts, _isTermination;
    private volatile bool _isDone;

    private Interrupts()
    {
    }

    /// <summary>Set by the first request.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Whether the process was asked to end by its surroundings, not by a user at the keyboard.</summary>
    public bool IsTermination => Volatile.Read(ref _isTermination) != 0;

    /// <summary>Requests that come from nowhere, for tests and for a verb with signals of its own; <see cref="Raise"/> makes one.</summary>
    public static Interrupts None() => new();

    /// <summary>Requests by SIGINT (Ctrl-C), SIGTERM and SIGHUP; under a supervisor, by what it writes to standard input.</summary>
    /// <param name="output">Where the user is told what happens.</param>
    public static Interrupts FromSignals(CommandOutput output)
    {
        var interrupts = new Interrupts { _output = output };
        var isSupervised = Supervision.IsSupervised;
        // A terminal sends Ctrl-C to the supervisor and its trainer alike, and the supervisor hands it on: here it would count twice.
        interrupts.Listen(PosixSignal.SIGINT, isSupervised ? static () => { } : interrupts.OnInterrupt);
        interrupts.Listen(PosixSignal.SIGTERM, interrupts.OnTermination);
        interrupts.Listen(PosixSignal.SIGHUP, interrupts.OnTermination);
        if (isSupervised)
        {
            Supervision.ListenToSupervisor(interrupts.OnInterrupt, interrupts.OnTermination);
        }
        return interrupts;
    }

    /// <summary>Notes an interrupt.</summary>
    /// <returns>True for the first one.</returns>
    public bool Raise()
    {
        if (Interlocked.Increment(ref _interrupts) > 1)
        {
            return false;
        }
        Cancel();
        return true;
    }

    /// <summary>Notes a request to end by the process's surroundings.</summary>
    /// <returns>True for the first one.</returns>
    public bool Terminate()
    {
        if (Interlocked.Exchange(ref _isTermination, 1) != 0)
        {
            return false;
        }
        Cancel();
        return true;
    }

    /// <summary>Ends the process although work is going on in it, when the process is what listens here.</summary>
    /// <param name="code">Exit code.</param>
    public void Exit(int code)
    {
        if (_output is not null)
        {
            Leave(_output, code);
        }
    }

    /// <summary>
    /// The verb is done and its exit code is known: the first request changes nothing any more, the second still leaves at once. Signals
    /// stay listened to, because one that comes while the process ends would otherwise replace the exit code.
    /// </summary>
    public void Dispose() => _isDone = true;

    /// <summary>Ends the process without waiting for native threads, which <see cref="Environment.Exit"/> may do for long.</summary>
    internal static void Leave(CommandOutput output, int code)
    {
        if (!System.Console.IsErrorRedirected)
        {
            output.Error.Write("\e[?25h\e[0m\n"); // a live display may have hidden the cursor
        }
        output.Error.Flush();
        output.Plain.Flush();
        if (!OperatingSystem.IsWindows())
        {
            ExitProcess(code);
        }
        Environment.Exit(code);
    }

    private void Listen(PosixSignal signal, Action action) => _registrations.Add(PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true; // the runtime shall not end the process by itself
        action();
    }));

    private void OnInterrupt()
    {
        if (Raise())
        {
            Tell("Stopping after this step. Press Ctrl-C again to leave at once.");
        }
        else
        {
            Leave(_output!, ExitCode.Cancelled);
        }
    }

    private void OnTermination()
    {
        if (Terminate())
        {
            Tell("Asked to end: stopping after this step and saving.");
        }
    }

    // Not on this thread: what is registered with the token may take long, and the second interrupt must get through.
    private void Cancel() => ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _source, preferLocal: false);

    // With the terminal gone (SIGHUP) there is nobody to tell, and the place must be saved all the same.
    private void Tell(string text)
    {
        if (_isDone)
        {
            return;
        }
        try
        {
            _output!.Error.WriteLine(text);
        }
        catch (IOException)
        {
            // nobody listens any more
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitProcess(int code);
}

using System.Runtime.InteropServices;

namespace Nabla.Cli;

/// <summary>
/// Ctrl-C in two steps: the first asks the verb to come to a good end (finish the step, save), the second leaves at once.
/// </summary>
internal sealed partial class Interrupts : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _count;

    private Interrupts()
    {
    }

    /// <summary>Set by the first interrupt.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Interrupts that come from nowhere, for tests; <see cref="Raise"/> makes one.</summary>
    public static Interrupts None() => new();

    /// <summary>Interrupts by SIGINT (Ctrl-C), SIGTERM and SIGHUP.</summary>
    /// <param name="output">Where the user is told what happens.</param>
    public static Interrupts FromSignals(CommandOutput output)
    {
        var interrupts = new Interrupts();
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP])
        {
            interrupts._registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // the runtime shall not end the process by itself
                if (interrupts.Raise())
                {
                    output.Error.WriteLine("Stopping after this step. Press Ctrl-C again to leave at once.");
                }
                else
                {
                    LeaveNow(output);
                }
            }));
        }
        return interrupts;
    }

    /// <summary>Notes an interrupt.</summary>
    /// <returns>True for the first one.</returns>
    public bool Raise()
    {
        if (Interlocked.Increment(ref _count) > 1)
        {
            return false;
        }
        // Not on this thread: what is registered with the token may take long, and the second interrupt must get through.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _source, preferLocal: false);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
        _registrations.Clear();
    }

    private static void LeaveNow(CommandOutput output)
    {
        if (!System.Console.IsErrorRedirected)
        {
            output.Error.Write("\e[?25h\e[0m\n"); // a live display may have hidden the cursor
        }
        output.Error.Flush();
        if (!OperatingSystem.IsWindows())
        {
            ExitProcess(ExitCode.Cancelled);
        }
        Environment.Exit(ExitCode.Cancelled);
    }

    /// <summary>Ends the process without waiting for native threads, which <see cref="Environment.Exit"/> may do for long.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitProcess(int code);
}

using Nabla.Core;

namespace Nabla.Cli;

/// <summary>
/// What passes between a supervisor and its trainer: the trainer's standard input carries requests to end (a line each; its end means that the
/// supervisor is gone), and a file, named by a variable, takes the run folder.
/// </summary>
internal static class Supervision
{
    /// <summary>Names the file that takes the run folder; set for trainers only.</summary>
    public const string Variable = "NABLA_SUPERVISED";

    /// <summary>A request to end.</summary>
    public const string Interrupt = "interrupt", Terminate = "terminate";

    /// <summary>Whether this process is the trainer of a supervisor.</summary>
    public static bool IsSupervised => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>Tells the supervisor which folder the run has.</summary>
    /// <param name="folder">The run folder.</param>
    public static void Announce(string folder)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } file)
        {
            AtomicFile.WriteText(file, folder);
        }
    }

    /// <summary>Hears the supervisor on a thread of its own.</summary>
    /// <param name="interrupt">Called for Ctrl-C.</param>
    /// <param name="terminate">Called for a request to end, and when the supervisor is gone: nobody would restart this process.</param>
    public static void ListenToSupervisor(Action interrupt, Action terminate)
    {
        var thread = new Thread(() =>
        {
            using var reader = new StreamReader(System.Console.OpenStandardInput());
            while (reader.ReadLine() is { } line)
            {
                (line == Interrupt ? interrupt : terminate)();
            }
            terminate();
        })
        { IsBackground = true, Name = "Nabla supervisor" };
        thread.Start();
    }
}

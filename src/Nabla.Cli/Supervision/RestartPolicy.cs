namespace Nabla.Cli;

/// <summary>How a trainer has ended.</summary>
/// <param name="Code">Its exit code; 128 and more are signals.</param>
/// <param name="CheckpointStep">Step of the newest checkpoint, or null when there is none.</param>
/// <param name="FailedStep">Step at which training failed with an error, or null when it did not.</param>
internal readonly record struct TrainerExit(int Code, long? CheckpointStep, long? FailedStep);

/// <summary>What follows the end of a trainer.</summary>
/// <param name="Restarts">Whether it is started again.</param>
/// <param name="Delay">How long to wait before.</param>
/// <param name="Reason">Why, for people.</param>
internal readonly record struct RestartDecision(bool Restarts, TimeSpan Delay, string Reason);

/// <summary>
/// Decides whether a trainer is started again. A crash is; an end that was asked for is not; nor is an error that would come again: wrong use, one
/// before training has begun, or a second one at the same step. Waits 1, 2, 4 ... 60 seconds while no new checkpoint is written in between.
/// </summary>
/// <param name="maxRestarts">How often at most.</param>
internal sealed class RestartPolicy(int maxRestarts)
{
    private const int FirstSignal = 128, Terminated = FirstSignal + 15;
    private const double LongestSeconds = 60;
    private long? _failedStep;
    private long _bestStep = -1;
    private int _withoutProgress;

    /// <summary>Restarts so far.</summary>
    public int Restarts { get; private set; }

    /// <summary>Whether an exit code says that the process crashed.</summary>
    public static bool IsCrash(int code) => code is not (ExitCode.Done or ExitCode.Failed or ExitCode.WrongUse or ExitCode.Cancelled or Terminated);

    /// <summary>Decides.</summary>
    public RestartDecision Decide(TrainerExit exit)
    {
        if (exit.Code == ExitCode.Failed)
        {
            if (exit.FailedStep is not { } step)
            {
                return Stop("it failed before training began, which a restart would not change");
            }
            if (step == _failedStep)
            {
                return Stop($"step {step} failed with an error for the second time");
            }
            _failedStep = step;
        }
        else if (!IsCrash(exit.Code))
        {
            return Stop("it has ended");
        }
        if (Restarts >= maxRestarts)
        {
            return Stop($"it was restarted {Restarts} times, as often as --max-restarts allows");
        }
        if (exit.CheckpointStep is { } saved && saved > _bestStep)
        {
            (_bestStep, _withoutProgress) = (saved, 0);
        }
        Restarts++;
        return new(true, TimeSpan.FromSeconds(Math.Min(LongestSeconds, Math.Pow(2, _withoutProgress++))), Describe(exit.Code));
    }

    /// <summary>An exit code in words.</summary>
    public static string Describe(int code) => code switch
    {
        ExitCode.Failed => "it failed with an error",
        FirstSignal + 9 => "it was killed (SIGKILL: by hand, or because memory ran out)",
        FirstSignal + 6 => "it was ended by its native library (SIGABRT)",
        FirstSignal + 11 => "it accessed memory wrongly (SIGSEGV)",
        FirstSignal + 7 => "it could not reach its memory (SIGBUS: a mapped file was cut off, or the disk is full)",
        > FirstSignal => $"it was ended by signal {code - FirstSignal}",
        _ => $"it ended with code {code}",
    };

    private static RestartDecision Stop(string reason) => new(false, default, reason);
}

namespace Nabla.Training;

/// <summary>Errors of network file systems that pass: the same operation may succeed a moment later.</summary>
internal static class TransientErrors
{
    /// <summary>Tries of an operation, the first included.</summary>
    public const int Tries = 3;

    // Linux numbers, which .NET gives as HResult where it has no exception type of its own. EINTR, EIO (a soft NFS mount that timed out),
    // EAGAIN, EBUSY, ETIMEDOUT, ESTALE (a file handle of a server that has forgotten it).
    private static readonly int[] Numbers = [4, 5, 11, 16, 110, Stale];

    /// <summary>ESTALE.</summary>
    public const int Stale = 116;

    /// <summary>Whether an error may pass. A full disk, a missing folder and a refusal do not.</summary>
    public static bool Is(Exception? error) => error is IOException { HResult: var number } && Numbers.Contains(number);

    /// <summary>How long to wait before a try, from 2 on.</summary>
    public static TimeSpan Pause(int attempt) => TimeSpan.FromMilliseconds(250 * (attempt - 1));
}

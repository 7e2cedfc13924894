using Nabla.Core;

namespace Nabla.Data;

/// <summary>How patient a <see cref="DataPuller"/> is.</summary>
public sealed record DataPullerOptions
{
    /// <summary>Tries in a row that bring nothing new before a file is given up, at least 1. Default: 5.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Wait before the second try; it doubles with each further one, to 60 seconds at most. Default: 1 second.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Longest time without an answer or a byte before a try counts as failed. Default: 60 seconds.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Checks the options.</summary>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    public void Validate() => OptionsCheck.For(this)
        .Require(MaxAttempts >= 1, $"MaxAttempts must be at least 1; it is {MaxAttempts}.")
        .Require(FirstDelay >= TimeSpan.Zero, $"FirstDelay must not be negative; it is {FirstDelay}.")
        .Require(StallTimeout > TimeSpan.Zero, $"StallTimeout must be above zero; it is {StallTimeout}.")
        .ThrowIfAny();
}

/// <summary>Where a pull stands.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="FileBytes">Bytes of it that are there.</param>
/// <param name="FileSize">Its size in bytes.</param>
/// <param name="TotalBytes">Bytes of all files of the set that are there.</param>
/// <param name="TotalSize">Size of all files together.</param>
public sealed record PullProgress(string File, long FileBytes, long FileSize, long TotalBytes, long TotalSize);

/// <summary>What a pull did.</summary>
/// <param name="Folder">The set's folder.</param>
/// <param name="Fetched">Names of the files that were fetched.</param>
/// <param name="Kept">Names of the files that were there already, with the right hash.</param>
/// <param name="Skipped">Description files that could not be fetched, with the reason; the data can be used without them.</param>
/// <param name="Bytes">Bytes received.</param>
public sealed record PullResult(string Folder, IReadOnlyList<string> Fetched, IReadOnlyList<string> Kept, IReadOnlyList<string> Skipped, long Bytes);

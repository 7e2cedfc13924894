namespace Nabla.Training;

/// <summary>Content of <c>status.json</c> in a run folder: how the run stands, replaced as a whole at each change.</summary>
public sealed record RunStatus
{
    /// <summary>How the run stands.</summary>
    public RunState State { get; init; } = RunState.Created;

    /// <summary>Process that trains or trained it; 0: none yet.</summary>
    public int ProcessId { get; init; }

    /// <summary>Name of the machine of that process.</summary>
    public string Machine { get; init; } = "";

    /// <summary>When this process started training, UTC.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When this file was written, UTC.</summary>
    public DateTimeOffset? UpdatedAt { get; init; }

    /// <summary>Optimiser steps taken.</summary>
    public long Step { get; init; }

    /// <summary>Optimiser steps planned; null: unknown.</summary>
    public long? TotalSteps { get; init; }

    /// <summary>Epochs finished.</summary>
    public int Epoch { get; init; }

    /// <summary>Time spent training, over all processes, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>Why training ended, or null.</summary>
    public StopReason? StopReason { get; init; }

    /// <summary>The newest value of each metric, by <c>split/metric</c>.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init => field = value ?? field; } = new Dictionary<string, double>(); // a key that is missing in the file is read as null

    /// <summary>The error that ended it, or null.</summary>
    public string? Error { get; init; }
}

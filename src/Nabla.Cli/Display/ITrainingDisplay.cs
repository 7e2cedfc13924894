namespace Nabla.Cli;

/// <summary>
/// Shows a training run while it happens, on standard error. Calls come from the training thread and return at once; they never throw
/// because of the terminal. Dispose restores the terminal and may be called at any moment, also while an exception unwinds.
/// </summary>
internal interface ITrainingDisplay : IDisposable
{
    /// <summary>The run is about to begin.</summary>
    /// <param name="run">What is trained, and how long.</param>
    void OnStarted(DisplayRun run);

    /// <summary>Training went on; call it as often as wanted, it is shown a few times a second.</summary>
    /// <param name="progress">Where the run stands.</param>
    void OnProgress(DisplayProgress progress);

    /// <summary>A split was evaluated.</summary>
    /// <param name="evaluation">What came out.</param>
    void OnEvaluation(DisplayEvaluation evaluation);

    /// <summary>A message for the user; it stays visible above the display.</summary>
    /// <param name="message">The message.</param>
    void OnMessage(DisplayMessage message);

    /// <summary>The run ended, well or not.</summary>
    /// <param name="outcome">How it ended.</param>
    void OnCompleted(DisplayOutcome outcome);
}

/// <summary>What is trained, and how long.</summary>
internal sealed record DisplayRun
{
    /// <summary>Name of the run, such as <c>fashion-mnist</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Family and size of the model. Default: empty.</summary>
    public string Model { get; init; } = "";

    /// <summary>Number of parameters. Default: 0, not known.</summary>
    public long Parameters { get; init; }

    /// <summary>Device, such as <c>cpu, 2 threads</c>. Default: cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Arithmetic, such as <c>bfloat16-mixed</c>. Default: float32.</summary>
    public string Precision { get; init; } = "float32";

    /// <summary>Name of the data set. Default: empty.</summary>
    public string Data { get; init; } = "";

    /// <summary>Examples in the training split. Default: 0, not known.</summary>
    public long Examples { get; init; }

    /// <summary>Epochs that are planned.</summary>
    public required int Epochs { get; init; }

    /// <summary>Optimiser steps that are planned; 0: not known.</summary>
    public required long Steps { get; init; }

    /// <summary>Steps already taken by the run that is resumed. Default: 0.</summary>
    public long ResumedAtStep { get; init; }

    /// <summary>Run folder. Default: empty.</summary>
    public string Folder { get; init; } = "";
}

/// <summary>Where the run stands; immutable.</summary>
internal sealed record DisplayProgress
{
    /// <summary>Optimiser steps taken, counted over the whole run.</summary>
    public required long Step { get; init; }

    /// <summary>The epoch that is under way, from 1.</summary>
    public required int Epoch { get; init; }

    /// <summary>Share of the epoch that is done, in [0, 1].</summary>
    public double EpochShare { get; init; }

    /// <summary>Metrics of this step, named <c>train/loss</c> and so on; empty when none were read. Default: none.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = System.Collections.Frozen.FrozenDictionary<string, double>.Empty;

    /// <summary>Learning rate of the first parameter group. Default: NaN, not known.</summary>
    public double LearningRate { get; init; } = double.NaN;

    /// <summary>Training examples taken in, a second. Default: NaN, not known.</summary>
    public double ExamplesPerSecond { get; init; } = double.NaN;

    /// <summary>What is being done: training, validation, saving. Default: training.</summary>
    public string Phase { get; init; } = "training";

    /// <summary>Memory that the process holds, in bytes. Default: 0, not known.</summary>
    public long MemoryBytes { get; init; }
}

/// <summary>Result of evaluating a split.</summary>
/// <param name="Split">train, validation or test.</param>
/// <param name="Step">Optimiser steps taken.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Metrics">Metrics named <c>validation/accuracy</c> and so on.</param>
internal sealed record DisplayEvaluation(string Split, long Step, int Epoch, IReadOnlyDictionary<string, double> Metrics);

/// <summary>A message for the user.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Text">The message; plain text.</param>
internal sealed record DisplayMessage(DisplayLevel Level, string Text);

/// <summary>How much a message matters.</summary>
internal enum DisplayLevel
{
    Information,
    Warning,
    Error,
}

/// <summary>How a run ended.</summary>
/// <param name="Status">completed, stopped-early, interrupted or failed.</param>
/// <param name="Metrics">Final metrics, the most telling first.</param>
/// <param name="Folder">Run folder.</param>
/// <param name="Note">One more sentence, such as why it stopped; null: none.</param>
internal sealed record DisplayOutcome(string Status, IReadOnlyDictionary<string, double> Metrics, string Folder, string? Note = null);

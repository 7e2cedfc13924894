using System.Diagnostics;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Measures some steps of one training: give it to <see cref="TrainerContext.Profiler"/>. The parts of the step, the layers forward and
/// backward, and the operations of the native library are timed; live memory is read at the borders of layers. The trainer writes
/// <c>profile.json</c> and <c>trace.json</c> (for Perfetto or chrome://tracing) into the run folder. Not thread-safe; for one training.
/// </summary>
/// <remarks>Numbers and gradients of the run stay the same bits; the profiled steps take a few percent longer.</remarks>
public sealed class TrainingProfiler : IDisposable
{
    private readonly ProfileOptions _options;
    private readonly List<PhaseSpan> _phases = [];
    private LayerClock? _layers;
    private OperationProfiler? _operations;
    private IReadOnlyList<OperationEvent> _events = [];
    private long _start, _end, _operationsStart;
    private int _seen, _profiled;

    /// <summary>Creates the profiler.</summary>
    /// <param name="options">Which steps; null: the defaults.</param>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public TrainingProfiler(ProfileOptions? options = null)
    {
        _options = options ?? new();
        _options.Validate();
    }

    /// <summary>What was found; null until the profiled steps are done, or when training ended before any.</summary>
    public ProfileReport? Report { get; private set; }

    private bool IsActive => _layers is not null;

    /// <inheritdoc/>
    public void Dispose() => Detach();

    /// <summary>A batch is about to be computed.</summary>
    internal void BeginBatch(Module module)
    {
        if (IsActive || Report is not null || _seen < _options.WarmupSteps)
        {
            return;
        }
        _layers = new(module);
        _operations = _options.Operations && OperationProfiler.IsAvailable ? OperationProfiler.Start() : null;
        _start = Stopwatch.GetTimestamp();
    }

    /// <summary>Times a part of the step until the result is disposed; null when nothing is profiled.</summary>
    internal IDisposable? Measure(string phase) => IsActive ? new PhaseTimer(this, phase) : null;

    /// <summary>A step has ended, with all that follows it.</summary>
    internal void EndStep()
    {
        _seen++;
        if (IsActive && ++_profiled == _options.Steps)
        {
            Complete();
        }
    }

    /// <summary>Ends the profile with the steps it has; nothing happens when there are none.</summary>
    internal void Complete()
    {
        if (!IsActive)
        {
            return;
        }
        _end = Stopwatch.GetTimestamp();
        if (_operations is not null)
        {
            (_operationsStart, _events) = (_operations.StartTimestamp, _operations.Stop());
        }
        var layers = _layers!;
        Detach();
        Report = _profiled == 0 ? null : ProfileSummary.Of(_profiled, _start, _end, _phases, layers, _events);
        WriteTrace = stream => ChromeTrace.Write(stream, _start, _phases, layers, _operationsStart, _events);
    }

    /// <summary>Writes the timeline as a Chrome trace; null until <see cref="Report"/> is there.</summary>
    internal Action<Stream>? WriteTrace { get; private set; }

    private void Detach()
    {
        _layers?.Dispose();
        _operations?.Dispose();
        (_layers, _operations) = (null, null);
    }

    private sealed class PhaseTimer(TrainingProfiler owner, string phase) : IDisposable
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        public void Dispose()
        {
            if (phase == ProfilePhases.Backward)
            {
                owner._layers?.EndBackward();
            }
            owner._phases.Add(new(phase, _start, Stopwatch.GetTimestamp()));
        }
    }
}

/// <summary>A part of a step on the clock.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Start">Stopwatch timestamp.</param>
/// <param name="End">Stopwatch timestamp.</param>
internal readonly record struct PhaseSpan(string Name, long Start, long End);

/// <summary>Names of the parts of a step.</summary>
internal static class ProfilePhases
{
    public const string LoaderWait = "loader wait", Forward = "forward", Backward = "backward", Optimizer = "optimizer", Metrics = "metrics",
        Validation = "validation", Checkpoint = "checkpoint", Other = "other";
}

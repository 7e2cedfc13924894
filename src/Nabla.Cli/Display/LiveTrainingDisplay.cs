using System.Runtime.InteropServices;
using Spectre.Console;

namespace Nabla.Cli;

/// <summary>Draws the run into the terminal a few times a second. Thread-safe.</summary>
internal sealed class LiveTrainingDisplay : ITrainingDisplay
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly LiveFrame _frame;
    private readonly DisplayState _state;
    private readonly TimeProvider _time;
    private readonly List<PosixSignalRegistration> _signals = [];
    private ITimer? _timer;
    private bool _hasEnded;

    /// <summary>A display that is not yet shown.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="handleSignals">Whether to give the cursor back when a signal ends or stops the process.</param>
    public LiveTrainingDisplay(IAnsiConsole console, TimeProvider time, bool handleSignals)
    {
        (_frame, _state, _time) = (new(console), new(time), time);
        if (handleSignals)
        {
            RegisterSignals();
        }
    }

    /// <inheritdoc/>
    public void OnStarted(DisplayRun run)
    {
        _state.Start(run);
        lock (_lock)
        {
            _hasEnded = false;
            _timer ??= _time.CreateTimer(_ => Draw(), null, TimeSpan.Zero, Pace);
        }
    }

    /// <inheritdoc/>
    public void OnProgress(DisplayProgress progress) => _state.Add(progress);

    /// <inheritdoc/>
    public void OnEvaluation(DisplayEvaluation evaluation) => _state.Add(evaluation);

    /// <inheritdoc/>
    public void OnMessage(DisplayMessage message)
    {
        var (mark, style) = message.Level switch
        {
            DisplayLevel.Warning => ("warning: ", new Style(Color.Orange1)),
            DisplayLevel.Error => ("error: ", new Style(Color.Red)),
            _ => ("", Style.Plain),
        };
        var text = string.Join('\n', message.Text.ReplaceLineEndings("\n").Split('\n').Select(DisplayText.Line));
        lock (_lock)
        {
            Guard(() => _frame.Draw(View(), new Text(mark + text, style)));
        }
    }

    /// <inheritdoc/>
    public void OnCompleted(DisplayOutcome outcome)
    {
        _state.Complete(outcome);
        lock (_lock)
        {
            Guard(() => _frame.Draw(View()));
        }
        End();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        End();
        _signals.ForEach(signal => signal.Dispose());
        _signals.Clear();
    }

    private TrainingView View() => new(_state.Snapshot(), _frame.Height);

    private void Draw()
    {
        // A slow terminal must not pile up pictures: whoever comes while one is drawn leaves.
        if (_lock.TryEnter())
        {
            try
            {
                if (!_hasEnded)
                {
                    Guard(() => _frame.Draw(View()));
                }
            }
            finally
            {
                _lock.Exit();
            }
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            if (!_hasEnded && _timer is not null)
            {
                Guard(_frame.Release);
            }
            (_timer, _hasEnded) = (null, true);
        }
    }

    /// <summary>A terminal that went away (closed window, broken pipe) must not end a training: the display then stops.</summary>
    private void Guard(Action draw)
    {
        try
        {
            draw();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            _timer?.Dispose();
            (_timer, _hasEnded) = (null, true);
        }
    }

    /// <summary>The signals keep their meaning; the cursor comes back first. What goes on afterwards is drawn anew below.</summary>
    private void RegisterSignals()
    {
        PosixSignal[] signals = OperatingSystem.IsWindows()
            ? [PosixSignal.SIGINT, PosixSignal.SIGTERM]
            : [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT, PosixSignal.SIGTSTP];
        foreach (var signal in signals)
        {
            _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                lock (_lock)
                {
                    if (_timer is not null)
                    {
                        Guard(context.Signal == PosixSignal.SIGTSTP ? _frame.Release : _frame.GiveCursorBack);
                    }
                }
            }));
        }
    }
}

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
    private readonly PosixSignalRegistration? _continued;
    private ITimer? _timer;
    private bool _hasEnded, _isBroken;

    /// <summary>A display that is not yet shown.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="handleSignals">Whether to draw anew, below the shell's words, after the process was stopped (Ctrl-Z) and continued.</param>
    public LiveTrainingDisplay(IAnsiConsole console, TimeProvider time, bool handleSignals)
    {
        (_frame, _state, _time) = (new(console), new(time), time);
        if (handleSignals && !OperatingSystem.IsWindows())
        {
            _continued = PosixSignalRegistration.Create(PosixSignal.SIGCONT, _ =>
            {
                lock (_lock)
                {
                    _frame.Release();
                }
            });
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
        _continued?.Dispose();
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
            _frame.Release();
            (_timer, _hasEnded) = (null, true);
        }
    }

    /// <summary>A terminal that went away (closed window, broken pipe) must not end a training: the display then stops.</summary>
    private void Guard(Action draw)
    {
        if (_isBroken)
        {
            return;
        }
        try
        {
            draw();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException)
        {
            _timer?.Dispose();
            (_timer, _isBroken) = (null, true);
        }
    }
}

using CsCheck;
using Spectre.Console;
using Spectre.Console.Testing;

namespace Nabla.Cli.Tests;

public sealed class LiveTrainingDisplayTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(250);

    [Theory]
    [InlineData(60, 24)]
    [InlineData(80, 24)]
    [InlineData(120, 40)]
    [InlineData(200, 60)]
    [InlineData(40, 10)]
    public void Run_FromStartToEnd_LeavesOnePictureAndTheCursor(int width, int height)
    {
        using var console = Terminal(width, height);
        ManualTime time = new();
        using (LiveTrainingDisplay display = new(console, time, handleSignals: false))
        {
            FakeRun.Play(display, _ => time.Advance(Tick));
        }

        Screen screen = new(width, height);
        screen.Feed(console.Output);

        Assert.True(screen.IsCursorVisible);
        Assert.InRange(screen.Lines.Count, 5, height - 1);
        Assert.StartsWith("shapes  completed", screen.Lines[0], StringComparison.Ordinal);
        Assert.Equal(0, time.RunningTimers);
        Assert.All(screen.Lines, line => Assert.InRange(line.Length, 0, width));
    }

    [Fact]
    public void Run_InAWideTerminal_ShowsBothChartsAndAllFigures()
    {
        var lines = Picture(120, 40, steps: 200);
        var text = string.Join('\n', lines);

        Assert.Contains("cnn, 94.73 k parameters, cpu, 2 threads, float32, 6,000 examples", text, StringComparison.Ordinal);
        Assert.Contains("epoch 4/8", text, StringComparison.Ordinal);
        Assert.Contains("step 200 of 480", text, StringComparison.Ordinal);
        Assert.Contains("0:50, about 1:10 left", text, StringComparison.Ordinal);   // 200 steps of 0.25 s, 280 to go
        Assert.Contains(lines, line => line.Contains("loss  ", StringComparison.Ordinal) && line.Contains("accuracy  ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains('\u2524', StringComparison.Ordinal));
        Assert.Contains("learning rate 0.00175", text, StringComparison.Ordinal);
        Assert.Contains("612 MB memory", text, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("loss ", StringComparison.Ordinal) && line.EndsWith("now", StringComparison.Ordinal));
    }

    [Fact]
    public void Message_DuringTheRun_StaysAboveThePicture()
    {
        using var console = Terminal(80, 30);
        ManualTime time = new();
        using LiveTrainingDisplay display = new(console, time, handleSignals: false);
        FakeRun.Play(display, step =>
        {
            time.Advance(Tick);
            if (step is 10 or 70)
            {
                display.OnMessage(new(DisplayLevel.Warning, $"look at [red]step[/] {step}\e[2J"));
            }
        }, steps: 100);

        var lines = new Screen(80, 30).Feed(console.Output).Lines;

        Assert.Equal(["warning: look at [red]step[/] 10 [2J", "warning: look at [red]step[/] 70 [2J"], lines.Take(2));
        Assert.StartsWith("shapes", lines[2], StringComparison.Ordinal);
        Assert.Single(lines, line => line.StartsWith("epoch ", StringComparison.Ordinal));
    }

    [Fact]
    public void Terminal_ThatChangesItsSize_IsDrawnWithin() => Gen.Select(Gen.Int[20, 160], Gen.Int[4, 50]).Array[2, 12].Sample(sizes =>
    {
        using var console = Terminal(80, 24);
        ManualTime time = new();
        using LiveTrainingDisplay display = new(console, time, handleSignals: false);
        FakeRun.Play(display, steps: 100);
        foreach (var (width, height) in sizes)
        {
            (console.Profile.Width, console.Profile.Height) = (width, height);
            var before = console.Output.Length;
            time.Advance(Tick);
            var drawn = new Screen(width, height).Feed(console.Output[before..]).Lines;
            Assert.InRange(drawn.Count, 1, height - 1);
            Assert.StartsWith("shapes", drawn[0], StringComparison.Ordinal);
        }
    }, iter: 40);

    [Fact]
    public void Narrowing_OfTheTerminal_MovesOverTheRowsThatLinesNowFill()
    {
        using var console = Terminal(80, 40);
        LiveFrame frame = new(console);
        frame.Draw(new Text(new string('a', 80) + "\n" + new string('b', 30)));
        console.Profile.Width = 40;
        var before = console.Output.Length;
        frame.Draw(new Text("c"));
        Assert.Contains("\e[3A", console.Output[before..], StringComparison.Ordinal);   // 80 letters fill two rows of 40, 30 letters one
    }

    [Fact]
    public void Terminal_ThatGoesAway_DoesNotEndTheTraining()
    {
        using BrokenWriter writer = new();
        var console = AnsiConsole.Create(new() { Ansi = AnsiSupport.Yes, Out = new BrokenOutput(writer) });
        ManualTime time = new();
        using LiveTrainingDisplay display = new(console, time, handleSignals: false);

        FakeRun.Play(display, _ => time.Advance(Tick));

        Assert.Equal(1, writer.Writes);
        Assert.Equal(0, time.RunningTimers);
    }

    [Fact]
    public void Dispose_WithoutAnEnd_StopsDrawing()
    {
        using var console = Terminal(80, 24);
        ManualTime time = new();
        LiveTrainingDisplay display = new(console, time, handleSignals: false);
        FakeRun.Play(display, _ => time.Advance(Tick), steps: 10);
        display.Dispose();
        display.Dispose();
        var before = console.Output.Length;
        time.Advance(Tick);
        Assert.Equal(before, console.Output.Length);
        Assert.True(new Screen(80, 24).Feed(console.Output).IsCursorVisible);
    }

    [Fact]
    public void Loss_ThatIsNotANumber_IsShown()
    {
        using var console = Terminal(100, 30);
        ManualTime time = new();
        using LiveTrainingDisplay display = new(console, time, handleSignals: false);
        display.OnStarted(FakeRun.Start);
        display.OnProgress(FakeRun.Progress(1) with { Metrics = new Dictionary<string, double> { ["train/loss"] = double.NaN } });
        time.Advance(Tick);
        Assert.Contains(new Screen(100, 30).Feed(console.Output).Lines, line => line.StartsWith("loss", StringComparison.Ordinal) && line.Contains("NaN", StringComparison.Ordinal));
    }

    [Fact]
    public void Remaining_OfAResumedRun_CountsOnlyWhatThisProcessDid()
    {
        ManualTime time = new();
        DisplayState state = new(time);
        state.Start(FakeRun.Start with { Steps = 100, ResumedAtStep = 50 });
        time.Advance(TimeSpan.FromSeconds(10));
        state.Add(FakeRun.Progress(60));
        Assert.Equal(40, state.Snapshot().Remaining!.Value.TotalSeconds, 6);   // 10 steps took 10 s, 40 are left
    }

    [Fact]
    public void Curve_OfMoreValuesThanItHolds_KeepsItsMeanAndBest()
    {
        CurveBuffer curve = new("train/loss");
        for (var i = 0; i < 100_000; i++)
        {
            curve.Add(i, i == 77_777 ? -5 : 1);
        }
        var points = curve.ToArray();
        Assert.InRange(points.Length, 1000, 4096);
        Assert.Equal(-5, curve.Best);
        Assert.True(points.Zip(points.Skip(1)).All(pair => pair.First.Step < pair.Second.Step));
        Assert.True(points.Count(point => Math.Abs(point.Value - 1) < 1e-9) >= points.Length - 1);
    }

    private static IReadOnlyList<string> Picture(int width, int height, long steps)
    {
        using var console = Terminal(width, height);
        ManualTime time = new();
        using LiveTrainingDisplay display = new(console, time, handleSignals: false);
        FakeRun.Play(display, _ => time.Advance(Tick), steps);
        return new Screen(width, height).Feed(console.Output).Lines;
    }

    private static TestConsole Terminal(int width, int height)
    {
        var console = new TestConsole().EmitAnsiSequences();
        (console.Profile.Width, console.Profile.Height) = (width, height);
        console.Profile.Capabilities.Unicode = true;
        return console;
    }

    private sealed class BrokenWriter : StringWriter
    {
        public int Writes { get; private set; }

        public override void Write(string? value)
        {
            Writes++;
            throw new IOException("Broken pipe");
        }
    }

    private sealed class BrokenOutput(TextWriter writer) : IAnsiConsoleOutput
    {
        public TextWriter Writer => writer;

        public bool IsTerminal => true;

        public int Width => 80;

        public int Height => 24;

        public void SetEncoding(System.Text.Encoding encoding)
        {
        }
    }
}

namespace Nabla.Cli.Tests;

/// <summary>Plays a made-up run into the real terminal, to be looked at: set NABLA_DEMO to the milliseconds of a step.</summary>
public sealed class DisplayDemo
{
    [Fact]
    public void FakeRun_InATerminal_IsShown()
    {
        Assert.SkipUnless(int.TryParse(Environment.GetEnvironmentVariable("NABLA_DEMO"), out var pause), "NABLA_DEMO names no milliseconds.");
        using var display = TrainingDisplay.Create(Console.Error);
        FakeRun.Play(display, step =>
        {
            Thread.Sleep(pause);
            if (step == 200)
            {
                display.OnMessage(new(DisplayLevel.Warning, "the validation split has 1 example of class 'star'"));
            }
        });
    }
}

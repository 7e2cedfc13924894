namespace Nabla.Cli.Tests;

public sealed class PlainTrainingDisplayTests
{
    [Fact]
    public void Run_FromStartToEnd_TellsEachEpochOnceAndEveryTenSeconds()
    {
        using StringWriter output = new() { NewLine = "\n" };
        ManualTime time = new();
        using PlainTrainingDisplay display = new(output, time);

        FakeRun.Play(display, _ => time.Advance(TimeSpan.FromSeconds(0.25)));

        var lines = output.ToString().TrimEnd('\n').Split('\n');
        Assert.Equal("shapes: cnn, 94,727 parameters, cpu, 2 threads, float32, 6,000 examples, 8 epochs, 480 steps", lines[0]);
        Assert.Equal("epoch 1/8  step 60/480  validation/loss 1.060  validation/accuracy 58.03 %  validation/f1 56.53 %", lines.First(line => line.Contains("validation/", StringComparison.Ordinal)));
        Assert.Equal(8, lines.Count(line => line.Contains("validation/loss", StringComparison.Ordinal)));
        Assert.Contains(lines, line => line.StartsWith("epoch 2/8  step 61/480  train/accuracy", StringComparison.Ordinal));
        Assert.Contains("validation/loss 0.2247 (best)", lines.Single(line => line.StartsWith("epoch 6/8  step 360", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal("completed after 2 min 00 s  test/accuracy 98.10 %  test/loss 0.07000", lines[^2]);
        Assert.Equal(FakeRun.Start.Folder, lines[^1]);
        Assert.InRange(lines.Length, 20, 40);
        Assert.DoesNotContain(output.ToString(), c => c is '\e' or > '\u007f');
    }

    [Fact]
    public void Message_WithControlCharacters_CannotSteerTheTerminal()
    {
        using StringWriter output = new() { NewLine = "\n" };
        using PlainTrainingDisplay display = new(output, new ManualTime());
        display.OnMessage(new(DisplayLevel.Error, "one\r\ntwo\e[2J\a"));
        Assert.Equal("error: one\nerror: two [2J \n", output.ToString());
    }

    [Fact]
    public void Output_ThatIsClosed_DoesNotEndTheTraining()
    {
        StringWriter output = new();
        output.Dispose();
        using PlainTrainingDisplay display = new(output, new ManualTime());
        FakeRun.Play(display);
        Assert.Empty(output.ToString());
    }

    [Theory]
    [InlineData(false, "", "", true)]
    [InlineData(true, "", "", false)]
    [InlineData(false, "NO_COLOR", "1", false)]
    [InlineData(false, "NO_COLOR", "", true)]
    [InlineData(false, "TERM", "dumb", false)]
    [InlineData(false, "TERM", "xterm-256color", true)]
    [InlineData(false, "CI", "true", false)]
    [InlineData(false, "CI", "false", true)]
    [InlineData(false, "GITHUB_ACTIONS", "true", false)]
    public void Live_IsChosenOnlyInATerminal(bool isRedirected, string name, string value, bool expected) =>
        Assert.Equal(expected, TrainingDisplay.CanBeLive(isRedirected, variable => variable == name ? value : null));

    [Fact]
    public void Create_ForAnotherWriter_GivesPlainLines()
    {
        using StringWriter output = new();
        using var display = TrainingDisplay.Create(output);
        Assert.IsType<PlainTrainingDisplay>(display);
    }

    [Theory]
    [InlineData(41, "0:41")]
    [InlineData(725, "12:05")]
    [InlineData(3729, "1:02:09")]
    public void Clock_OfSeconds_ReadsAsAClock(double seconds, string expected) => Assert.Equal(expected, DisplayText.Clock(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0.003, "0.003")]
    [InlineData(0.0000213, "2.13e-5")]
    [InlineData(0, "0")]
    public void Rate_OfALearningRate_IsShort(double rate, string expected) => Assert.Equal(expected, DisplayText.Rate(rate));
}

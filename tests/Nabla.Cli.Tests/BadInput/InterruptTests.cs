namespace Nabla.Cli.Tests.BadInput;

/// <summary>Ctrl-C at any moment: before anything is loaded, while data is made ready, while training, evaluating, reporting, and after the end.</summary>
public sealed class InterruptTests : BadInputTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(150)]
    [InlineData(400)]
    [InlineData(800)]
    [InlineData(1300)]
    [InlineData(2000)]
    [InlineData(3000)]
    [InlineData(4500)]
    public async Task Interrupt_AfterAnyTime_LeavesNothingHalfMade_AndTheRunGoesOn(int milliseconds)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        Write("rows.csv", Rows(400));
        var recipe = WriteRecipe(Table + "data: {path: '@/rows.csv', target: kind}\n");
        using var process = NablaProcess.StartAny("env", ["--default-signal=INT", "dotnet", NablaProcess.Program, "train", recipe, "--json", "--out", Runs, "--set", "training.epochs=20"]);

        await Task.Delay(milliseconds, TestContext.Current.CancellationToken);
        _ = NablaProcess.Kill(process.Id, NablaProcess.Interrupt);
        var outcome = await NablaProcess.EndAsync(process);

        // 130 too where the signal came before the program could listen, and the system ended it.
        Assert.Contains(outcome.Code, new[] { ExitCode.Done, ExitCode.Cancelled });
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        if (!Directory.Exists(Runs) || Directory.GetFileSystemEntries(Runs).Length == 0)
        {
            Assert.NotEqual(ExitCode.Done, outcome.Code);
            return;
        }
        var run = AssertOneWholeRun();
        if (outcome.Code == ExitCode.Cancelled)
        {
            Assert.Equal("interrupted", outcome.Json.GetProperty("stop_reason").GetString());
            Assert.False(File.Exists(Path.Combine(run, "report.html")));
        }
        var resumed = await CommandLineHarness.RunAsync(["train", "--resume", run, "--json"]);
        Assert.Equal(ExitCode.Done, resumed.Code);
        Assert.Equal("epochs-completed", resumed.Json.GetProperty("stop_reason").GetString());
        Assert.True(File.Exists(Path.Combine(run, "report.html")));
    }

    [Fact]
    public async Task Interrupt_BeforeTheFirstStep_LeavesNoRun()
    {
        Write("rows.csv", Rows());
        using var interrupts = Interrupts.None();
        interrupts.Raise();
        while (!interrupts.Token.IsCancellationRequested)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        var outcome = await CommandLineHarness.RunAsync(
            ["train", WriteRecipe(Table + "data: {path: '@/rows.csv', target: kind}\n"), "--out", Runs, "--json"], interrupts: interrupts);

        Assert.Equal(ExitCode.Cancelled, outcome.Code);
        Assert.Equal("interrupted", outcome.Json.GetProperty("stop_reason").GetString());
        Assert.Contains("there was nothing to save", outcome.Error, StringComparison.Ordinal);
        for (var waited = 0; waited < 1000 && Directory.Exists(Runs) && Directory.EnumerateFileSystemEntries(Runs).Any(); waited++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken); // what was being made ready is left in the background
        }
        AssertNothingLeft();
    }

    [Theory]
    [InlineData("predict")]
    [InlineData("evaluate")]
    public async Task Interrupt_OfAVerbThatOnlyReads_ChangesNothing(string verb)
    {
        Write("rows.csv", Rows());
        var run = (await TrainAsync(Table + "data: {path: '@/rows.csv', target: kind}\n")).Json.GetProperty("run").GetString()!;
        var before = Directory.GetFiles(run, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.ReadAllBytes);
        using var interrupts = Interrupts.None();
        interrupts.Raise();
        while (!interrupts.Token.IsCancellationRequested)
        {
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }

        var outcome = await CommandLineHarness.RunAsync(verb == "predict" ? [verb, run, At("rows.csv"), "--json"] : [verb, run, "--json"], interrupts: interrupts);

        Assert.Contains(outcome.Code, new[] { ExitCode.Cancelled, ExitCode.Done });
        Assert.Equal(before.Keys.Order(), Directory.GetFiles(run, "*", SearchOption.AllDirectories).Order());
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(file.Key)));
    }
}

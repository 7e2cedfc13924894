namespace Nabla.Cli.Tests;

/// <summary>The program as a process of its own.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Help_NeedsNoLibrary_ButTheParserAndCore()
    {
        // Start-up stays fast because help touches nothing else: it must run in a folder where nothing else is.
        var folder = Directory.CreateTempSubdirectory("nabla-help").FullName;
        foreach (var file in new[] { "Nabla.Cli.dll", "Nabla.Cli.runtimeconfig.json", "Nabla.Core.dll", "System.CommandLine.dll" })
        {
            File.Copy(Path.Combine(AppContext.BaseDirectory, file), Path.Combine(folder, file));
        }

        var help = await NablaProcess.EndAsync(NablaProcess.Start([Path.Combine(folder, "Nabla.Cli.dll"), "--help"]));

        Assert.Equal((ExitCode.Done, ""), (help.Code, help.Error));
        Assert.Contains("train", help.Output, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("--version", ExitCode.Done)]
    [InlineData("trian", ExitCode.WrongUse)]
    [InlineData("recipe check shapes --set training.epochs=0", ExitCode.WrongUse)]
    [InlineData("recipe check shapes", ExitCode.Done)]
    [InlineData("runs show nothing --runs nowhere", ExitCode.Failed)]
    public async Task ExitCode_IsThatOfTheOutcome(string line, int code)
        => Assert.Equal(code, (await NablaProcess.RunAsync(line.Split(' '))).Code);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Signal_WhileTraining_SavesAndLeaves_ASecondLeavesAtOnce(int signals)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGTERM.");
        var folder = Directory.CreateTempSubdirectory("nabla-signal").FullName;
        using var process = NablaProcess.Start([NablaProcess.Program, "train", "shapes", "--json", "--out", folder, "--set", "training.epochs=10000", "--set", "data.shapes={train: 256, test: 64}"]);
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var first = await process.StandardError.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        var rest = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith("shapes: cnn", first, StringComparison.Ordinal);

        for (var i = 0; i < signals; i++)
        {
            Assert.Equal(0, NablaProcess.Kill(process.Id, NablaProcess.Terminate));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);

        Assert.Equal(ExitCode.Cancelled, process.ExitCode);
        if (signals == 1)
        {
            var result = new CommandLineOutcome(process.ExitCode, await output, await rest);
            Assert.Contains("Stopping after this step", result.Error, StringComparison.Ordinal);
            Assert.Equal("interrupted", result.Json.GetProperty("stop_reason").GetString());
            var checkpoints = Path.Combine(result.Json.GetProperty("run").GetString()!, "checkpoints");
            Assert.All(Directory.GetDirectories(checkpoints), checkpoint => Assert.True(File.Exists(Path.Combine(checkpoint, "manifest.json"))));
            Assert.NotEmpty(Directory.GetDirectories(checkpoints));
        }
        Directory.Delete(folder, recursive: true);
    }
}

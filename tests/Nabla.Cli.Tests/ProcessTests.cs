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
}

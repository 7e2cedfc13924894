namespace Nabla.Cli.Tests;

/// <summary><c>nabla bench</c>: what it refuses, and the shape of what it prints. Figures are for quiet machines, not for tests.</summary>
public sealed class BenchTests
{
    [Theory]
    [InlineData("bench trian", "Did you mean 'train'")]
    [InlineData("bench train --workload W66", "W66")]
    [InlineData("bench train --rounds 0", "--rounds")]
    [InlineData("bench train --threads x", "--threads")]
    [InlineData("bench train --precision bf16", "bfloat16-mixed")]
    [InlineData("bench --side raw", "--workload")]
    [InlineData("bench --side both --workload W1", "nabla")]
    [InlineData("bench machine --out /nowhere/at/all.json", "--out")]
    [InlineData("bench machine --plot /nowhere/at/all.svg", "--plot")]
    public async Task WrongUse_IsExplained(string line, string part)
    {
        var outcome = await CommandLineHarness.RunAsync(line);

        Assert.Equal(ExitCode.WrongUse, outcome.Code);
        Assert.Contains(part, outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_NamesEverySuite()
    {
        var outcome = await CommandLineHarness.RunAsync("bench --help");

        Assert.All(Benchmarks.BenchmarkRunner.Suites, suite => Assert.Contains(suite, outcome.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Machine_PrintsATableAndJson_AndWritesFiles()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-bench-cli-");
        var (file, plot) = (Path.Combine(folder.FullName, "bench.json"), Path.Combine(folder.FullName, "bench.svg"));

        var plain = await CommandLineHarness.RunAsync(["bench", "machine", "--threads", "1", "--out", file, "--plot", plot, "--check"]);
        var json = await CommandLineHarness.RunAsync("bench machine --threads 1 --json");

        Assert.Equal((ExitCode.Done, ExitCode.Done), (plain.Code, json.Code));
        Assert.Contains("bfloat16 matrix", plain.Output, StringComparison.Ordinal);
        Assert.Equal(["machine", "rows"], json.Json.EnumerateObject().Select(field => field.Name));
        Assert.Equal(4, json.Json.GetProperty("rows").GetArrayLength());
        using (var written = System.Text.Json.JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)))
        {
            Assert.Equal(1, written.RootElement.GetProperty("machine").GetProperty("threads").GetInt32());
        }
        Assert.StartsWith("<svg", await File.ReadAllTextAsync(plot, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("nabla")]
    public async Task Side_SaysTheMemoryOfThisProcess(string side)
    {
        var outcome = await CommandLineHarness.RunAsync($"bench --side {side} --workload W1 --threads 1 --json");

        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.InRange(outcome.Json.GetProperty("peak_bytes").GetInt64(), 50_000_000, 1L << 36);
    }
}

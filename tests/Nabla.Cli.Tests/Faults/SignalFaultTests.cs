using System.Diagnostics;
using System.Text.Json;

namespace Nabla.Cli.Tests;

/// <summary>Faults 46, 48 and 49 of docs/faults.md, with the real program.</summary>
public sealed class SignalFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-signal").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Fault46_SecondProcessOnARunFolder_IsRefused()
    {
        using var first = TrainingProcess.Start(TrainingProcess.Shapes(_folder));
        await first.WaitForLineAsync("shapes: cnn");

        using var second = TrainingProcess.Start("train", "--resume", TrainingProcess.RunIn(_folder)!.FullPath, "--json");
        var refused = await second.EndAsync();

        Assert.Equal(ExitCode.Failed, refused.Code);
        Assert.Contains("only process", refused.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        first.Signal(TrainingProcess.Terminate);
        Assert.Equal(ExitCode.Done, (await first.EndAsync()).Code); // the first has not been disturbed
    }

    [Fact]
    public async Task Fault48_SigtermInALongValidation_LeavesItSavesAndExitsZero_AndASecondOneChangesNothing()
    {
        // 16 steps of training and minutes of validation after each: the signal comes in a validation.
        using var process = TrainingProcess.Start(TrainingProcess.Shapes(_folder, 1, "--set", "data.validation=0.97", "--set", "data.shapes={train: 8000, test: 64}", "--set", "training.batch_size=16", "--set", "training.validate_every_steps=1"));
        await process.WaitForLineAsync("shapes: cnn");
        await Task.Delay(500, TestContext.Current.CancellationToken);

        var start = Stopwatch.GetTimestamp();
        process.Signal(TrainingProcess.Terminate);
        await Task.Delay(20, TestContext.Current.CancellationToken);
        process.Signal(TrainingProcess.Terminate);
        var result = await process.EndAsync();

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), $"{Stopwatch.GetElapsedTime(start)}");
        Assert.Equal("interrupted", result.Json.GetProperty("stop_reason").GetString());
        var checkpoint = TrainingProcess.RunIn(_folder)!.OpenCheckpoints().OpenNewestGood()!;
        Assert.NotNull(checkpoint.State.Pending);
    }

    [Fact]
    public async Task Fault48_SigtermBeforeTheFirstStep_ExitsZeroAtOnce()
    {
        using var process = TrainingProcess.Start(TrainingProcess.Shapes(_folder, 1, "--set", "data.shapes={train: 150000, test: 64}"));
        await process.WaitForAsync(() => TrainingProcess.RunIn(_folder) is not null, "the run folder");

        var start = Stopwatch.GetTimestamp();
        process.Signal(TrainingProcess.Terminate);
        var result = await process.EndAsync();

        Assert.Equal((ExitCode.Done, "interrupted"), (result.Code, result.Json.GetProperty("stop_reason").GetString()));
        Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20));
    }

    [Theory, InlineData(1), InlineData(2)]
    public async Task Fault49_SigintOnce_FinishesTheStepAndSaves_Twice_LeavesAtOnce(int signals)
    {
        using var process = TrainingProcess.Start(TrainingProcess.Shapes(_folder));
        await process.WaitForLineAsync("shapes: cnn");

        for (var i = 0; i < signals; i++)
        {
            process.Signal(TrainingProcess.Interrupt);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
        var result = await process.EndAsync();

        Assert.Equal(ExitCode.Cancelled, result.Code);
        Assert.Contains("Stopping after this step", result.Error, StringComparison.Ordinal);
        if (signals == 1)
        {
            Assert.Equal("interrupted", result.Json.GetProperty("stop_reason").GetString());
            var checkpoints = Path.Combine(result.Json.GetProperty("run").GetString()!, "checkpoints");
            Assert.NotEmpty(Directory.GetDirectories(checkpoints));
            Assert.All(Directory.GetDirectories(checkpoints), checkpoint => Assert.True(File.Exists(Path.Combine(checkpoint, "manifest.json"))));
        }
    }

    [Fact]
    public async Task Fault42_DamagedNewestCheckpoint_IsToldOnStandardError()
    {
        using (var first = TrainingProcess.Start(TrainingProcess.Shapes(_folder, 10_000, "--set", "training.checkpoints.every_steps=1")))
        {
            await first.WaitForAsync(() => TrainingProcess.RunIn(_folder)?.OpenCheckpoints().Steps.Count > 1, "two checkpoints");
            first.Signal(TrainingProcess.Terminate);
            Assert.Equal(ExitCode.Done, (await first.EndAsync()).Code);
        }
        var run = TrainingProcess.RunIn(_folder)!;
        var newest = run.OpenCheckpoints().LastStep!.Value;
        var path = Path.Combine(run.OpenCheckpoints().PathOf(newest), "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        bytes[^5] ^= 1;
        File.WriteAllBytes(path, bytes);

        using var second = TrainingProcess.Start("train", "--resume", run.FullPath, "--json");
        await second.WaitForLineAsync($"warning: DAMAGED: checkpoint {newest}");
        await second.WaitForLineAsync("resumed at step");
        second.Signal(TrainingProcess.Terminate);
        Assert.Equal(ExitCode.Done, (await second.EndAsync()).Code);
        Assert.Equal("damaged-checkpoint", JsonDocument.Parse(File.ReadLines(run.IncidentsPath).First()).RootElement.GetProperty("kind").GetString());
    }
}

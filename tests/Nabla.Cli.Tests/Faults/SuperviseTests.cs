using System.Security.Cryptography;
using Nabla.Training;

namespace Nabla.Cli.Tests;

/// <summary><c>nabla train --supervise</c> with the real program, its trainer killed.</summary>
public sealed class SuperviseTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-supervise").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Trainer_KilledTwice_GoesOnFromItsCheckpointsToTheSameBits()
    {
        string[] options = ["--set", "training.checkpoints.every_steps=2", "--set", "data.shapes={train: 1500, test: 64}"];
        var whole = Path.Combine(_folder, "whole");
        using (var undisturbed = TrainingProcess.Start(TrainingProcess.Shapes(whole, 4, options)))
        {
            Assert.Equal(ExitCode.Done, (await undisturbed.EndAsync()).Code);
        }
        var killed = Path.Combine(_folder, "killed");
        using var process = TrainingProcess.Start([.. TrainingProcess.Shapes(killed, 4, options), "--supervise", "--max-restarts", "3"]);
        int? last = null;
        for (var kill = 0; kill < 2; kill++)
        {
            var before = last;
            await process.WaitForAsync(() => TrainingProcess.TrainerOf(TrainingProcess.RunIn(killed)) is { } trainer && trainer != before && (TrainingProcess.RunIn(killed)!.OpenCheckpoints().LastStep ?? 0) > kill * 2, "a trainer with a checkpoint");
            last = TrainingProcess.TrainerOf(TrainingProcess.RunIn(killed));
            TrainingProcess.Signal(last!.Value, TrainingProcess.Kill);
        }

        var result = await process.EndAsync();

        Assert.True(result.Code == ExitCode.Done, result.Error);
        var run = TrainingProcess.RunIn(killed)!;
        Assert.Equal(run.FullPath, result.Json.GetProperty("run").GetString());
        Assert.Single(result.Output.TrimEnd().Split('\n'));
        Assert.Equal(Sum(TrainingProcess.RunIn(whole)!), Sum(run));
        Assert.Equal(["restart", "restart"], run.ReadIncidents().Select(incident => incident.Kind));
        Assert.Contains("SIGKILL", run.ReadIncidents()[0].Message, StringComparison.Ordinal);
        Assert.Contains("Restart 2 of at most 3", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Trainer_FailingTwiceAtTheSameStep_IsNotStartedAgain()
    {
        using var process = TrainingProcess.Start([.. TrainingProcess.Shapes(_folder, 4, "--set", "training.optimizer={name: sgd, learning_rate: 1e6}"), "--supervise"]);

        var result = await process.EndAsync();

        Assert.Equal((ExitCode.Failed, "training-failed"), (result.Code, result.Json.GetProperty("error").GetProperty("code").GetString()));
        Assert.Contains("failed with an error for the second time", result.Error, StringComparison.Ordinal);
        Assert.Single(TrainingProcess.RunIn(_folder)!.ReadIncidents());
    }

    [Fact]
    public async Task WrongUse_IsNotStartedAgain()
    {
        using var process = TrainingProcess.Start("train", "no-such-recipe", "--supervise", "--json", "--out", _folder);

        var result = await process.EndAsync();

        Assert.Equal(ExitCode.WrongUse, result.Code);
        Assert.DoesNotContain("started again", result.Error, StringComparison.Ordinal);
        Assert.True(result.Json.TryGetProperty("error", out _));
    }

    [Theory, InlineData(TrainingProcess.Terminate, ExitCode.Done), InlineData(TrainingProcess.Interrupt, ExitCode.Cancelled)]
    public async Task Signal_IsHandedOnToTheTrainer(int signal, int code)
    {
        using var process = TrainingProcess.Start([.. TrainingProcess.Shapes(_folder), "--supervise"]);
        await process.WaitForLineAsync("shapes: cnn");

        process.Signal(signal);
        TrainingProcess.Signal(TrainingProcess.TrainerOf(TrainingProcess.RunIn(_folder))!.Value, signal); // as a terminal or a process manager sends it to the whole group
        var result = await process.EndAsync();

        Assert.Equal((code, "interrupted"), (result.Code, result.Json.GetProperty("stop_reason").GetString()));
        Assert.NotEmpty(TrainingProcess.RunIn(_folder)!.OpenCheckpoints().Steps);
    }

    [Fact]
    public async Task Supervisor_Killed_LetsTheTrainerSaveAndEnd()
    {
        using var process = TrainingProcess.Start([.. TrainingProcess.Shapes(_folder), "--supervise"]);
        await process.WaitForLineAsync("shapes: cnn");
        var run = TrainingProcess.RunIn(_folder)!;

        process.Signal(TrainingProcess.Kill);
        await process.EndAsync();
        for (var i = 0; i < 2000 && RunLock.IsHeld(run.FullPath); i++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.Equal(RunState.Interrupted, run.ReadStatus().State);
        Assert.NotEmpty(run.OpenCheckpoints().Steps);
    }

    private static string Sum(RunFolder run)
        => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(run.OpenCheckpoints().PathOf(run.OpenCheckpoints().LastStep!.Value), "model.safetensors"))));
}

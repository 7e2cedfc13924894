namespace Nabla.Cli.Tests.BadInput;

/// <summary>What can only be found while training: it ends with the step, what to do, and the checkpoints before it whole.</summary>
public sealed class BadTrainingTests : BadInputTest
{
    [Fact]
    public async Task NaNLoss_NamesStepAndTensor_AndKeepsTheLastGoodCheckpoint()
    {
        // Plain gradient descent on squares with a rate that is too high grows by a factor each step, until float32 overflows.
        Write("rows.csv", "x,y\n" + string.Concat(Enumerable.Range(0, 64).Select(row => $"{row},{row * 2}\n")));
        var recipe = """
            name: bad
            task: tabular-regression
            data: {path: '@/rows.csv', target: y}
            model: {family: mlp, hidden: []}
            training: {epochs: 400, batch_size: 64, precision: float32, threads: 1, optimizer: {name: sgd, learning_rate: 4, weight_decay: 0}, schedule: constant}
            """;

        var outcome = await TrainAsync(recipe);

        AssertRefused(outcome, ExitCode.Failed, "training-failed", "Step ", "(epoch ", "First bad tensor: ", "Lower the learning rate", "resume from the last checkpoint", "docs/errors/nan-loss.md");
        var run = AssertOneWholeRun();
        Assert.False(File.Exists(Path.Combine(run, "report.html")));
        var good = await CommandLineHarness.RunAsync(["evaluate", run, "--json"]);
        Assert.Equal(ExitCode.Done, good.Code);
        Assert.True(double.IsFinite(good.Json.GetProperty("metrics").GetProperty("test/loss").GetDouble()));
        var shown = await CommandLineHarness.RunAsync(["runs", "show", run, "--json"]);
        Assert.Equal("failed", shown.Json.GetProperty("status").GetString());
    }

    [Fact]
    public async Task BatchOfOneWithBatchNorm_SaysWhatToDo_AndKeepsNoBadCheckpoint()
    {
        Write("rows.csv", Rows(34));
        var recipe = Table.Replace("hidden: [8]", "hidden: [8], norm: batch", StringComparison.Ordinal) + "data: {path: '@/rows.csv', target: kind, validation: 0, test: 0.03, split: random}\n";

        var outcome = await TrainAsync(recipe); // 33 rows: 16, 16 and 1

        AssertRefused(outcome, ExitCode.Failed, "training-failed", "Step ", "batch of one example", "drop_last");
        var checkpoints = Path.Combine(AssertOneWholeRun(), "checkpoints");
        Assert.Empty(Directory.Exists(checkpoints) ? Directory.GetDirectories(checkpoints) : []);
        Assert.Equal(ExitCode.Done, (await TrainAsync(recipe, "--set", "data.drop_last=true")).Code);
    }
}

using Nabla.Data;
using static TorchSharp.torch.nn;

namespace Nabla.Training.Tests;

public sealed class TrainerTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, LogEverySteps = 2, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-trainer-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact, LeaksNoTensors]
    public void Fit_TwoEpochs_LearnsAndReports()
    {
        using var task = new TinyTask(dropout: 0);
        using var data = new TinyData(200);
        var folder = RunFolder.Create(_root.FullName, "learn");
        var events = new EventRecorder();

        var result = Fit(Options with { Epochs = 8 }, task, data.Loader, data.Loader, new() { Folder = folder, Callbacks = [events] });

        Assert.Equal(StopReason.EpochsCompleted, result.StopReason);
        Assert.Equal((200, 8), (result.Steps, result.Epochs));
        Assert.True(result.Metrics["validation/accuracy"] > 0.7, $"accuracy {result.Metrics["validation/accuracy"]}");
        Assert.True(result.Metrics["train/loss"] < 0.9);
        Assert.Equal(folder.OpenCheckpoints().PathOf(result.Best!.Step), result.BestCheckpoint);
        Assert.Equal((RunState.Completed, 200), (folder.ReadStatus().State, folder.ReadStatus().Step));
        var rows = folder.ReadMetrics();
        Assert.Equal(Enumerable.Range(1, 200).Where(step => step % 2 == 0 || step % 25 == 0).Select(step => (long)step), rows.Select(row => row.Step));
        Assert.Equal(8, rows.Count(row => row.Metrics.ContainsKey("validation/loss") && row.Metrics.ContainsKey("train/epoch-loss") && row.Metrics.ContainsKey("train/accuracy")));
        Assert.Equal(0.05, rows[0].Metrics["train/learning-rate"]);
        Assert.Equal(["started", "step 1", "step 2 loss"], events.Seen.Take(3));
        // The checkpoint before is told of once it is on the disk, which may be as late as here.
        Assert.Equal(["validation 200", "epoch 7", "checkpoint 200", "completed"], events.Seen.Where(seen => seen != "checkpoint 175").TakeLast(4));
        Assert.Single(Directory.EnumerateFiles(folder.FullPath, "events.out.tfevents.*"));
    }

    [Fact]
    public void Fit_EpochLoss_IsTheMeanOverExamplesNotBatches()
    {
        using var task = new TinyTask(dropout: 0, batchNorm: false);
        using var data = new TinyData(10, batchSize: 8, shuffle: false);
        var losses = new List<(double Loss, long Weight)>();
        using var watched = new TinyTask(dropout: 0, batchNorm: false)
        {
            Change = (_, output) =>
            {
                losses.Add((output.Loss.item<float>(), output.Weight));
                return output;
            },
        };

        var result = Fit(Options with { Epochs = 1 }, watched, data.Loader);

        Assert.Equal([8, 2], losses.Select(loss => loss.Weight));
        Assert.Equal(losses.Sum(loss => loss.Loss * loss.Weight) / 10, result.Metrics["train/loss"], 1e-12);
    }

    [Theory, InlineData(1), InlineData(3), InlineData(4)]
    public void Fit_AccumulatedUnequalBatches_EqualsOneLargeBatch(int batchSize)
    {
        var options = Options with { Epochs = 1, Optimizer = new() { Name = "sgd", LearningRate = 0.5 } };
        using var large = new TinyTask(dropout: 0, batchNorm: false);
        using var small = new TinyTask(dropout: 0, batchNorm: false);
        using var whole = new TinyData(10, batchSize: 10, shuffle: false);
        using var parts = new TinyData(10, batchSize, shuffle: false);

        var one = Fit(options, large, whole.Loader);
        var many = Fit(options with { AccumulateBatches = 10 }, small, parts.Loader);

        Assert.Equal((1, 1), (one.Steps, many.Steps));
        Assert.Equal(one.Metrics["train/loss"], many.Metrics["train/loss"], 1e-6);
        AssertClose(large.Module, small.Module, 1e-6);
    }

    [Fact]
    public void Fit_L1AndL2_EqualThePenaltyInTheLoss()
    {
        var options = Options with { Epochs = 1, Optimizer = new() { Name = "sgd", LearningRate = 0.5 } };
        using var data = new TinyData(8, shuffle: false);
        using var byGradient = new TinyTask(dropout: 0, batchNorm: false);
        TinyTask? owner = null;
        using var byLoss = new TinyTask(dropout: 0, batchNorm: false)
        {
            Change = (_, output) => output with
            {
                Loss = owner!.Module.parameters().Where(parameter => parameter.dim() > 1)
                    .Aggregate(output.Loss, (loss, weight) => loss + (0.01 * weight.abs().sum()) + (0.02 / 2 * weight.pow(2).sum())),
            },
        };
        owner = byLoss;

        Fit(options with { Regularization = new() { L1 = 0.01, L2 = 0.02 } }, byGradient, data.Loader);
        Fit(options, byLoss, data.Loader);

        AssertClose(byLoss.Module, byGradient.Module, 1e-6);
    }

    [Fact]
    public void Fit_WithEma_EvaluatesTheAverage()
    {
        using var task = new TinyTask(dropout: 0);
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "ema");

        var result = Fit(Options with { EmaDecay = 0.95, Optimizer = new() { LearningRate = 0.3 } }, task, data.Loader, data.Loader, new() { Folder = folder });

        var trainer = new Trainer(Options);
        var last = trainer.Evaluate(task, data.Loader, "validation").Metrics["validation/loss"];
        folder.OpenCheckpoints().Open(result.Steps).LoadServedWeights(task.Module);
        var served = trainer.Evaluate(task, data.Loader, "validation").Metrics["validation/loss"];
        Assert.Equal(result.Metrics["validation/loss"], served);
        Assert.NotEqual(last, served);
    }

    [Fact]
    public void Fit_MaxSteps_StopsThereAndValidates()
    {
        using var task = new TinyTask();
        using var data = new TinyData();

        var result = Fit(Options with { MaxSteps = 4 }, task, data.Loader, data.Loader);

        Assert.Equal((4, StopReason.MaxStepsReached), (result.Steps, result.StopReason));
        Assert.Contains("validation/loss", result.Metrics.Keys);
    }

    [Fact]
    public void Fit_StreamOfUnknownLength_TrainsByMaxSteps()
    {
        using var task = new TinyTask();
        var loader = new ListLoader([() => ListLoader.Points(4), () => ListLoader.Points(5)]) { IsLengthKnown = false };

        var result = Fit(Options with { MaxSteps = 5, Epochs = 10, Schedule = new() { Name = "cosine" } }, task, loader);

        Assert.Equal((5, 2, StopReason.MaxStepsReached), (result.Steps, result.Epochs, result.StopReason));
        Assert.Contains("set max_steps", Assert.Throws<TrainingException>(() => Fit(Options with { Schedule = new() { Name = "cosine" } }, task, loader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_FastDevRun_TakesThreeBatchesOfEachPart()
    {
        using var task = new TinyTask();
        using var data = new TinyData(200);
        var events = new EventRecorder();

        var result = Fit(Options with { FastDevRun = true }, task, data.Loader, data.Loader, new() { Callbacks = [events] });

        Assert.Equal((3, 1), (result.Steps, result.Epochs));
        Assert.Equal(["validation 3"], events.Seen.Where(name => name.StartsWith("validation", StringComparison.Ordinal)));
    }

    [Fact]
    public void Fit_OverfitOneBatch_ReachesAlmostNoLoss()
    {
        using var task = new TinyTask(dropout: 0);
        using var data = new TinyData(200);

        var result = Fit(Options with { Epochs = 300, OverfitBatches = 1, Optimizer = new() { LearningRate = 0.1 } }, task, data.Loader);

        Assert.Equal(300, result.Steps);
        Assert.True(result.Metrics["train/loss"] < 0.01, $"loss {result.Metrics["train/loss"]}");
    }

    [Fact]
    public void Fit_CallbackStops_SavesAndEnds()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "callback");

        var result = Fit(Options, task, data.Loader, null, new() { Folder = folder, Callbacks = [new EventRecorder { StopAt = 3 }] });

        Assert.Equal((3, StopReason.Callback), (result.Steps, result.StopReason));
        Assert.Equal(3, folder.OpenCheckpoints().LastStep);
    }

    [Fact]
    public void Fit_Aborted_LeavesAtOnceWithTheLastCheckpointWhole()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "abort");
        using var abort = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(() => new Trainer(Options).Fit(task, data.Loader, null, new() { Folder = folder, Callbacks = [new EventRecorder { OnStep = step => { if (step == 8) { abort.Cancel(); } } }] }, default, abort.Token));

        Assert.Equal(6, folder.OpenCheckpoints().OpenNewestGood()!.Step);
        Assert.Equal(RunState.Interrupted, folder.ReadStatus().State);
    }

    [Fact]
    public async Task FitAsync_GivesWhatFitGives()
    {
        using var first = new TinyTask();
        using var second = new TinyTask();
        using var data = new TinyData();

        var expected = Fit(Options, first, data.Loader);
        var actual = await new Trainer(Options).FitAsync(second, data.Loader);

        Assert.Equal(expected.Metrics, actual.Metrics);
        Assert.Equal(Weights.Sum(first.Module), Weights.Sum(second.Module));
        await Assert.ThrowsAsync<TrainingException>(() => new Trainer(Options).FitAsync(second, new ListLoader([() => ListLoader.Points(4, float.NaN)])));
    }

    [Fact, LeaksNoTensors]
    public void Evaluate_GivesTheSameInAnyBatchSizeAndKeepsTheMode()
    {
        using var task = new TinyTask();
        using var small = new TinyData(batchSize: 5);
        using var large = new TinyData(batchSize: 44);
        task.Module.train();
        var labels = new List<long>();

        var first = new Trainer(Options).Evaluate(task, small.Loader, "test", onBatch: (_, output) => labels.AddRange(output.Predictions!.argmax(1).data<long>()));
        var second = new Trainer(Options).Evaluate(task, large.Loader, "test");

        Assert.True(task.Module.training);
        Assert.Equal((44, 44), (labels.Count, first.Examples));
        Assert.Equal(second.Metrics["test/accuracy"], first.Metrics["test/accuracy"]);
        Assert.Equal(second.Metrics["test/loss"], first.Metrics["test/loss"], 1e-6);
        Assert.Equal("accuracy", Assert.Single(first.Measures).Name);
    }

    private static TrainingResult Fit(TrainingOptions options, TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, TrainerContext? context = null)
        => new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, train, validation, context);

    private static void AssertClose(Module expected, Module actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        var values = ModuleState.Collect(actual);
        foreach (var (name, value) in ModuleState.Collect(expected))
        {
            Assert.True((value - values[name]).abs().max().item<float>() < tolerance, name);
        }
    }
}

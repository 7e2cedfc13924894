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
        var events = new Recorder();

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
        Assert.Equal(["validation 200", "epoch 7", "checkpoint 200", "completed"], events.Seen.TakeLast(4));
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
    public void Fit_NaNLoss_NamesStepEpochAndTensorAndKeepsTheCheckpoint()
    {
        using var task = new TinyTask { Change = (batch, output) => batch == 8 ? output with { Loss = output.Loss * float.NaN } : output };
        using var data = new TinyData(); // 6 batches an epoch
        var folder = RunFolder.Create(_root.FullName, "nan");

        var error = Assert.Throws<TrainingException>(() => Fit(Options, task, data.Loader, data.Loader, new() { Folder = folder }));

        Assert.Contains("Step 8 (epoch 1): the loss is NaN. First bad tensor: the loss itself", error.Message, StringComparison.Ordinal);
        Assert.Contains("learning rate", error.Message, StringComparison.Ordinal);
        Assert.Equal((RunState.Failed, error.Message), (folder.ReadStatus().State, folder.ReadStatus().Error));
        Assert.Equal(6, folder.OpenCheckpoints().OpenNewestGood()!.Step);
    }

    [Fact]
    public void Fit_NaNInTheData_NamesTheField()
    {
        using var task = new TinyTask();
        var loader = new ListLoader([() => Points(4), () => Points(4, float.NaN)]);

        Assert.Contains("Step 1 (epoch 0): the loss is NaN. First bad tensor: field 'inputs'", Assert.Throws<TrainingException>(() => Fit(Options, task, loader)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(null), InlineData(1.0)]
    public void Fit_UndefinedGradientOfFiniteLoss_NamesTheParameter(double? clipping)
    {
        TinyTask? owner = null;
        using var task = new TinyTask
        {
            // The root of 0 has an infinite slope, times 0 is NaN: the loss itself stays finite.
            Change = (batch, output) => batch == 1 ? output with { Loss = output.Loss + (owner!.Module.named_parameters().First(pair => pair.name == "second.bias").parameter * 0).sqrt().sum() } : output,
        };
        owner = task;
        using var data = new TinyData();

        var error = Assert.Throws<TrainingException>(() => Fit(Options with { GradientClipping = clipping }, task, data.Loader));

        Assert.Contains("Step 1 (epoch 0): a gradient is not finite", error.Message, StringComparison.Ordinal);
        Assert.Contains("'second.bias'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WeightsTurnInfinite_WritesNoCheckpoint()
    {
        using var task = new TinyTask(dropout: 0, batchNorm: false);
        using var data = new TinyData(8);
        var folder = RunFolder.Create(_root.FullName, "infinite");

        var error = Assert.Throws<TrainingException>(() => Fit(Options with { Epochs = 1, LogEverySteps = 100, Optimizer = new() { Name = "sgd", LearningRate = 1e39 } }, task, data.Loader, null, new() { Folder = folder }));

        Assert.Contains("No checkpoint is written", error.Message, StringComparison.Ordinal);
        Assert.Empty(folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fit_BatchOfOneWithBatchNorm_SaysWhatToDoAndWritesNoCheckpoint()
    {
        using var task = new TinyTask();
        using var data = new TinyData(9); // 8 and 1
        var folder = RunFolder.Create(_root.FullName, "one");

        var error = Assert.Throws<TrainingException>(() => Fit(Options, task, data.Loader, null, new() { Folder = folder }));

        Assert.Contains("'norm.running_var'", error.Message, StringComparison.Ordinal);
        Assert.Contains("drop_last", error.Message, StringComparison.Ordinal);
        Assert.Empty(folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fit_LayerRefusesABatch_SaysAtWhichStep()
    {
        using var task = new TinyTask { Change = (batch, output) => batch == 7 ? throw new TrainingException("Layer.forward: no.") : output };
        using var data = new TinyData();

        Assert.Equal("Step 7 (epoch 1): Layer.forward: no.", Assert.Throws<TrainingException>(() => Fit(Options, task, data.Loader)).Message);
    }

    [Fact]
    public void Fit_LabelBeyondTheClasses_SaysWhatToDo()
    {
        using var task = new TinyTask();
        var loader = new ListLoader([() => Points(4, label: 7)]);

        Assert.Contains("A label lies outside the classes", Assert.Throws<TrainingException>(() => Fit(Options, task, loader)).Message, StringComparison.Ordinal);
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
        var loader = new ListLoader([() => Points(4), () => Points(5)]) { IsLengthKnown = false };

        var result = Fit(Options with { MaxSteps = 5, Epochs = 10, Schedule = new() { Name = "cosine" } }, task, loader);

        Assert.Equal((5, 2, StopReason.MaxStepsReached), (result.Steps, result.Epochs, result.StopReason));
        Assert.Contains("set max_steps", Assert.Throws<TrainingException>(() => Fit(Options with { Schedule = new() { Name = "cosine" } }, task, loader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_FastDevRun_TakesThreeBatchesOfEachPart()
    {
        using var task = new TinyTask();
        using var data = new TinyData(200);
        var events = new Recorder();

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

        var result = Fit(Options, task, data.Loader, null, new() { Folder = folder, Callbacks = [new Recorder { StopAt = 3 }] });

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

        Assert.ThrowsAny<OperationCanceledException>(() => new Trainer(Options).Fit(task, data.Loader, null, new() { Folder = folder, Callbacks = [new Recorder { OnStep = step => { if (step == 8) { abort.Cancel(); } } }] }, default, abort.Token));

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
        await Assert.ThrowsAsync<TrainingException>(() => new Trainer(Options).FitAsync(second, new ListLoader([() => Points(4, float.NaN)])));
    }

    [Fact]
    public void Fit_SettingsThatCannotWork_AreFoundBeforeTheFirstBatch()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var options = Options with { EarlyStopping = new() { Monitor = "validation/acuracy" }, Checkpoints = new() { Monitor = "validation/los" }, Schedule = new() { Name = "plateau", Goal = "max" } };

        var error = Assert.Throws<TrainingException>(() => Fit(options, task, data.Loader, data.Loader));

        Assert.Contains("Did you mean 'validation/accuracy'?", error.Message, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'validation/loss'?", error.Message, StringComparison.Ordinal);
        Assert.Contains("There is no validation data", Assert.Throws<TrainingException>(() => Fit(Options with { EarlyStopping = new() }, task, data.Loader)).Message, StringComparison.Ordinal);
        Assert.Contains("set goal to 'min'", Assert.Throws<TrainingException>(() => Fit(Options with { Schedule = new() { Name = "plateau", Goal = "max" } }, task, data.Loader, data.Loader)).Message, StringComparison.Ordinal);
        Assert.Equal(0, task.TrainingBatches);
    }

    [Fact]
    public void Fit_FullDisk_IsFoundBeforeTheFirstBatch()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "full");

        Assert.Throws<CheckpointException>(() => new Trainer(Options, null, null, new NoSpace()).Fit(task, data.Loader, null, new() { Folder = folder }));

        Assert.Equal(0, task.TrainingBatches);
    }

    [Fact]
    public void Fit_DiskFillsUp_ThrowsAndKeepsTheEarlierCheckpoint()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "fills");

        Assert.Throws<CheckpointException>(() => new Trainer(Options, null, null, new FillsUp(writes: 7)).Fit(task, data.Loader, null, new() { Folder = folder }));

        Assert.Equal(6, folder.OpenCheckpoints().OpenNewestGood()!.Step);
        Assert.Equal(RunState.Failed, folder.ReadStatus().State);
    }

    [Fact]
    public void Fit_FolderInUse_IsRefused()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "locked");
        using var held = folder.Lock();

        Assert.Contains("only process", Assert.Throws<CheckpointException>(() => Fit(Options, task, data.Loader, null, new() { Folder = folder })).Message, StringComparison.Ordinal);
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

    [Fact]
    public void Evaluate_EmptySplit_Throws()
        => Assert.Contains("got none", Assert.Throws<DataException>(() =>
        {
            using var task = new TinyTask();
            new Trainer(Options).Evaluate(task, new ListLoader([]), "validation");
        }).Message, StringComparison.Ordinal);

    private static TrainingResult Fit(TrainingOptions options, TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, TrainerContext? context = null)
        => new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, train, validation, context);

    private static Batch Points(int count, float value = 0.5f, long label = 1)
    {
        using var scope = NewDisposeScope();
        return new(new Dictionary<string, Tensor> { [Batch.Inputs] = full([count, 4], value) + arange(count).unsqueeze(1), [Batch.Targets] = full([count], label, ScalarType.Int64) });
    }

    private static void AssertClose(Module expected, Module actual, double tolerance)
    {
        using var scope = NewDisposeScope();
        var values = ModuleState.Collect(actual);
        foreach (var (name, value) in ModuleState.Collect(expected))
        {
            Assert.True((value - values[name]).abs().max().item<float>() < tolerance, name);
        }
    }

    private sealed class ListLoader(IReadOnlyList<Func<Batch>> batches) : IBatchLoader
    {
        public bool IsLengthKnown { get; init; } = true;

        public long? BatchesPerEpoch => IsLengthKnown && batches.Count > 0 ? batches.Count : null;

        public long? ExamplesPerEpoch => null;

        public IEnumerable<Batch> ReadEpoch(int epoch, long firstBatch = 0, CancellationToken cancellationToken = default)
            => batches.Skip((int)firstBatch).Select(create => create());
    }

    private sealed class Recorder : TrainingCallback
    {
        public List<string> Seen { get; } = [];

        public long StopAt { get; init; } = -1;

        public Action<long>? OnStep { get; init; }

        public override void OnTrainingStarted(TrainingStarted started) => Seen.Add("started");

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            Seen.Add(step.Loss is null ? $"step {step.Step}" : $"step {step.Step} loss");
            OnStep?.Invoke(step.Step);
            return step.Step == StopAt ? Continuation.Stop : Continuation.Continue;
        }

        public override Continuation OnValidationCompleted(ValidationCompleted validation)
        {
            Seen.Add($"validation {validation.Step}");
            return Continuation.Continue;
        }

        public override Continuation OnEpochCompleted(EpochCompleted epoch)
        {
            Seen.Add($"epoch {epoch.Epoch}");
            return Continuation.Continue;
        }

        public override void OnCheckpointSaved(CheckpointSaved checkpoint) => Seen.Add($"checkpoint {checkpoint.Step}");

        public override void OnTrainingCompleted(TrainingCompleted completed) => Seen.Add("completed");
    }

    private sealed class NoSpace : UnsyncedFiles
    {
        public override void ProbeSpace(string path, long bytes) => throw new IOException("No space left on device");
    }

    private sealed class FillsUp(int writes) : UnsyncedFiles
    {
        private int _left = writes;

        public override void Write(string path, Action<Stream> write)
        {
            if (_left-- == 0)
            {
                throw new IOException("No space left on device");
            }
            base.Write(path, write);
        }
    }
}

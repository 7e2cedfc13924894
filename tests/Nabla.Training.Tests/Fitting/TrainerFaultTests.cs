using Nabla.Data;

namespace Nabla.Training.Tests;

/// <summary>What goes wrong in training ends it with a message that says where and what to do, and leaves checkpoints whole.</summary>
public sealed class TrainerFaultTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, LogEverySteps = 2, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-trainer-");

    public void Dispose() => _root.Delete(recursive: true);

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
        var loader = new ListLoader([() => ListLoader.Points(4), () => ListLoader.Points(4, float.NaN)]);

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
        using var task = new TinyTask(dropout: 0, batchNorm: false) { Change = (_, output) => output with { Loss = output.Loss * 1e36 } };
        using var data = new TinyData(8);
        var folder = RunFolder.Create(_root.FullName, "infinite");

        var error = Assert.Throws<TrainingException>(() => Fit(Options with { Epochs = 1, LogEverySteps = 100, Optimizer = new() { Name = "sgd", LearningRate = 1e6 } }, task, data.Loader, null, new() { Folder = folder }));

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
        var loader = new ListLoader([() => ListLoader.Points(4, label: 7)]);

        Assert.Contains("A label lies outside the classes", Assert.Throws<TrainingException>(() => Fit(Options, task, loader)).Message, StringComparison.Ordinal);
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

    [Fact]
    public void Evaluate_EmptySplit_Throws()
        => Assert.Contains("got none", Assert.Throws<DataException>(() =>
        {
            using var task = new TinyTask();
            new Trainer(Options).Evaluate(task, new ListLoader([]), "validation");
        }).Message, StringComparison.Ordinal);

    private static TrainingResult Fit(TrainingOptions options, TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, TrainerContext? context = null)
        => new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, train, validation, context);

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

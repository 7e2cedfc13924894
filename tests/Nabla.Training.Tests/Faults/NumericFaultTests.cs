using Nabla.Data;
using static TorchSharp.torch.nn;

namespace Nabla.Training.Tests;

/// <summary>Faults 30 to 38 of docs/faults.md: numbers and training.</summary>
public sealed class NumericFaultTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, LogEverySteps = 1, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private static readonly TrainingOptions Skip = Options with { NonFinite = new() { Policy = NonFinitePolicy.Skip, Limit = 3 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-faults-");
    private readonly WarningList _warnings = new();

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, InlineData(float.NaN, "NaN"), InlineData(float.PositiveInfinity, "infinite"), InlineData(float.NegativeInfinity, "minus infinite")]
    public void Fault30_LossNotFinite_StopsAtThatStepNamesTheTensorAndKeepsTheCheckpoint(float factor, string name)
    {
        using var task = new TinyTask { Change = (batch, output) => batch == 8 ? output with { Loss = output.Loss * factor } : output };
        using var data = new TinyData(); // 6 batches an epoch
        var folder = RunFolder.Create(_root.FullName, "loss");

        var error = Assert.Throws<TrainingException>(() => Fit(Options, task, data.Loader, data.Loader, folder));

        Assert.Contains($"Step 8 (epoch 1): the loss is {name}. First bad tensor: the loss itself", error.Message, StringComparison.Ordinal);
        Assert.Equal(6, folder.OpenCheckpoints().OpenNewestGood()!.Step);
        Assert.Equal(RunState.Failed, folder.ReadStatus().State);
    }

    [Fact, LeaksNoTensors]
    public void Fault31_NaNInOneGradient_IsSkippedCountedAndLeavesNoTrace()
    {

        using var bad = Poisoned(batch => batch == 3);
        using var data = new TinyData(80);
        var folder = RunFolder.Create(_root.FullName, "skip");
        var weights = new WeightsAt();

        Fit(Skip with { Epochs = 1, EmaDecay = 0.9 }, bad, data.Loader, null, folder, weights);

        Assert.Equal(weights[3], weights[4]); // the step from 3 to 4 changed no parameter and no buffer
        Assert.NotEqual(weights[4], weights[5]);
        Assert.Equal([0, 0, 0, 1, 1], folder.ReadMetrics().Take(5).Select(row => row.Metrics["train/skipped-steps"]));
        var incident = Assert.Single(folder.ReadIncidents());
        Assert.Equal(("skipped-step", 3L), (incident.Kind, incident.Step));
        Assert.Contains("'second.bias'", incident.Message, StringComparison.Ordinal);
        Assert.Equal(1, folder.OpenCheckpoints().OpenNewestGood()!.State.SkippedSteps);
    }

    [Fact]
    public void Fault31_NaNInTheData_IsSkippedWithoutBreakingBatchStatistics()
    {
        using var task = new TinyTask();
        var loader = new ListLoader([() => ListLoader.Points(4), () => ListLoader.Points(4, float.NaN), () => ListLoader.Points(4)]);
        var weights = new WeightsAt();

        var result = Fit(Skip, task, loader, new ListLoader([() => ListLoader.Points(4)]), null, weights);

        Assert.Equal(6, result.Steps);
        Assert.Equal(weights[1], weights[2]);
        Assert.True(double.IsFinite(result.Metrics["train/loss"]));
    }

    [Fact]
    public void Fault31_MoreInARowThanTheLimit_Stops()
    {
        using var task = Poisoned(batch => batch is 1 or (>= 3 and <= 6));
        using var data = new TinyData(80);

        var error = Assert.Throws<TrainingException>(() => Fit(Skip, task, data.Loader));

        Assert.Contains("4 steps in a row had to be left out, and non_finite.limit is 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("Step 6 (epoch 0)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault31_AccumulatedStepWithOneBadBatch_IsLeftOutAsAWhole()
    {
        using var task = new TinyTask { Change = (batch, output) => batch == 4 ? output with { Loss = output.Loss * float.NaN } : output };
        using var data = new TinyData(80);
        var weights = new WeightsAt();

        Fit(Skip with { Epochs = 1, AccumulateBatches = 3 }, task, data.Loader, null, null, weights);

        Assert.Equal(weights[1], weights[2]);
        Assert.NotEqual(weights[2], weights[3]);
    }

    [Fact]
    public void Fault32_LabelOutOfRange_SaysWhatToDo()
    {
        using var task = new TinyTask();
        var loader = new ListLoader([() => ListLoader.Points(4, label: 7)]);

        Assert.Contains("A label lies outside the classes", Assert.Throws<TrainingException>(() => Fit(Options, task, loader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault32_EmptyBatch_IsAnErrorAndNoAbort()
    {
        using var task = new TinyTask(batchNorm: false);
        var loader = new ListLoader([() => ListLoader.Points(0)]);

        Assert.Contains("the batch holds no example", Assert.Throws<DataException>(() => Fit(Options, task, loader)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault32_BatchOfOneWithBatchNorm_SaysWhatToDo()
    {
        using var task = new TinyTask();
        using var data = new TinyData(9); // 8 and 1
        var folder = RunFolder.Create(_root.FullName, "one");

        Assert.Contains("drop_last", Assert.Throws<TrainingException>(() => Fit(Options, task, data.Loader, null, folder)).Message, StringComparison.Ordinal);
        Assert.Empty(folder.OpenCheckpoints().Steps);
    }

    [Fact]
    public void Fault33_ShapesThatDoNotFitInAUserModel_AreBothNamed()
    {
        using var plain = new FunctionTask((x, weight) => functional.linear(x, weight)); // [batch, 4] x [5, 3]^T
        using var product = new FunctionTask(SafeOps.MatMul);
        var loader = new ListLoader([() => ListLoader.Points(2)]);

        Assert.Contains("2x4 and 3x5", Assert.Throws<TrainingException>(() => Fit(Options, plain, loader)).Message, StringComparison.Ordinal);
        var error = Assert.Throws<ShapeException>(() => Fit(Options, product, loader));
        Assert.Contains("[2, 4]", error.Message, StringComparison.Ordinal);
        Assert.Contains("[5, 3]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault34_ExceptionInUserCodeInsideBackward_ComesOutWholeOnTheTrainingThread()
    {
        using var task = new FunctionTask((x, weight) => FailingFunction.apply(x.narrow(1, 0, 3) * weight.sum()));
        var loader = new ListLoader([() => ListLoader.Points(2)]);

        var error = Assert.Throws<InvalidOperationException>(() => Fit(Options, task, loader));

        Assert.Equal("in backward", error.Message);
        Assert.Contains(nameof(FailingFunction), error.StackTrace!, StringComparison.Ordinal);
    }

    [Fact]
    public void Fault35_OutOfMemory_IsTypedSaysWhatToDoAndFreesTheStep()
    {
        using var task = new FunctionTask((x, weight) => x.narrow(1, 0, 3) * weight.sum() * empty(1L << 50));
        var loader = new ListLoader([() => ListLoader.Points(2)]);
        var before = Tensor.TotalCount;

        var error = Assert.Throws<MemoryException>(() => Fit(Options, task, loader));

        Assert.Contains("Step 0 (epoch 0): memory did not suffice for a batch of inputs [1, 4]", error.Message, StringComparison.Ordinal);
        Assert.Contains("accumulate_batches", error.Message, StringComparison.Ordinal);
        Assert.Equal("out-of-memory", error.Code);
        Assert.InRange(Tensor.TotalCount - before, 0, 2);
    }

    [Fact]
    public void Fault36_TensorsThatNobodyFrees_AreReportedOnce()
    {
        List<Tensor> kept = [];
        using var task = new TinyTask
        {
            Change = (_, output) =>
            {
                kept.Add(output.Loss.detach().clone().DetachFromDisposeScope());
                return output;
            },
        };
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "leak");

        Fit(Options with { Epochs = 8 }, task, data.Loader, null, folder);

        Assert.True(kept.Count > 40);
        var incident = Assert.Single(folder.ReadIncidents());
        Assert.Equal("tensor-leak", incident.Kind);
        Assert.Contains("1.0 a step", incident.Message, StringComparison.Ordinal);
        Assert.Contains(_warnings.Messages, message => message == incident.Message);
        kept.ForEach(tensor => tensor.Dispose());
    }

    [Fact]
    public void Fault36_SoundTraining_IsNotReported()
    {
        using var task = new TinyTask();
        using var data = new TinyData();
        var folder = RunFolder.Create(_root.FullName, "sound");

        Fit(Options with { Epochs = 8, EmaDecay = 0.9 }, task, data.Loader, data.Loader, folder);

        Assert.Empty(folder.ReadIncidents());
    }

    [Fact]
    public void Fault37_ValuesThatCannotWork_AreRefusedBeforeTheStart()
    {
        foreach (var rate in new[] { 0, -1, double.NaN, double.PositiveInfinity, 1e9 })
        {
            Assert.Contains("learning_rate", Assert.Throws<OptionsException>(() => new Trainer(Options with { Optimizer = new() { LearningRate = rate } })).Message, StringComparison.Ordinal);
        }
        var error = Assert.Throws<OptionsException>(() => new Trainer(new() { Epochs = 0, BatchSize = -3, AccumulateBatches = 0 }));
        Assert.Equal(["epochs", "batch_size", "accumulate_batches"], error.Problems.Select(problem => problem.Split(' ')[0]));
        Assert.Throws<OptionsException>(() => new Trainer(Options with { NonFinite = new() { Limit = 0 } }));
        Assert.Throws<OptionsException>(() => new Trainer(Options with { Checkpoints = new() { EveryMinutes = 0 } }));
    }

    [Theory, InlineData(long.MaxValue), InlineData(long.MinValue), InlineData(0)]
    public void Fault37_AnySeed_Works(long seed)
    {
        using var task = new TinyTask();
        using var data = new TinyData(16);

        Assert.Equal(2, new Trainer(Options with { Epochs = 1 }).Fit(task, data.Loader, null, new() { Seed = seed }).Steps);
    }

    [Fact]
    public void Fault38_SameSeedAndThreads_GiveTheSameBits_OtherThreadsCloseNumbers()
    {
        var threads = get_num_threads();
        try
        {
            var runs = new[] { 1, 1, 2, 2 }.Select(Train).ToList();

            Assert.Equal(runs[0].Bits, runs[1].Bits);
            Assert.Equal(runs[2].Bits, runs[3].Bits);
            Assert.Equal(runs[0].Loss, runs[2].Loss, 1e-4);
        }
        finally
        {
            set_num_threads(threads);
        }

        static (string Bits, double Loss) Train(int threads)
        {
            using var task = new TinyTask(hidden: 512);
            using var data = new TinyData(2048, batchSize: 256);
            var result = new Trainer(Options with { Threads = threads, GradientClipping = 1 }).Fit(task, data.Loader);
            return (Weights.Sum(task.Module), result.Metrics["train/loss"]);
        }
    }

    private TrainingResult Fit(TrainingOptions options, TrainingTask task, IBatchLoader train, IBatchLoader? validation = null, RunFolder? folder = null, TrainingCallback? callback = null)
    {
        (callback as WeightsAt)?.Watch(task);
        return new Trainer(options, _warnings, null, new UnsyncedFiles()).Fit(task, train, validation, new() { Folder = folder, Callbacks = callback is null ? [] : [callback] });
    }

    /// <summary>A task with a NaN in one gradient of some batches, whose loss stays finite: the root of 0 has an infinite slope, times 0 is NaN.</summary>
    private static TinyTask Poisoned(Func<long, bool> isBad)
    {
        TinyTask? owner = null;
        owner = new TinyTask
        {
            Change = (batch, output) => isBad(batch) ? output with { Loss = output.Loss + (owner!.Module.named_parameters().First(pair => pair.name == "second.bias").parameter * 0).sqrt().sum() } : output,
        };
        return owner;
    }

    /// <summary>Sums of weights and buffers after each step.</summary>
    private sealed class WeightsAt : TrainingCallback
    {
        private readonly Dictionary<long, string> _sums = [];
        private TrainingTask? _task;

        public string this[long step] => _sums[step];

        public void Watch(TrainingTask task) => _task = task;

        public override Continuation OnStepCompleted(StepCompleted step)
        {
            _sums[step.Step] = Weights.Sum(_task!.Module);
            return Continuation.Continue;
        }
    }

    /// <summary>A task around one parameter of shape [5, 3] and the user's own function.</summary>
    private sealed class FunctionTask(Func<Tensor, Tensor, Tensor> function) : TrainingTask
    {
        private readonly OneParameter _module = new();

        public override Module Module => _module;

        public override StepOutput Step(Batch batch) => new(function(batch[Batch.Inputs], _module.Weight).mean(), batch.Count);

        public override IReadOnlyList<Metric> CreateMetrics(string split) => [];
    }

    private sealed class OneParameter : Module
    {
        private readonly TorchSharp.Modules.Parameter weight;

        public OneParameter()
            : base(nameof(OneParameter))
        {
            weight = ones(5, 3).AsOwnedParameter();
            RegisterComponents();
        }

        public Tensor Weight => weight;
    }

    /// <summary>An own autograd function whose backward fails, as a user may write it with <see cref="CallbackGuard.Current"/>.</summary>
    private sealed class FailingFunction : autograd.SingleTensorFunction<FailingFunction>
    {
        public override string Name => nameof(FailingFunction);

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars) => ((Tensor)vars[0]).clone();

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
            => CallbackGuard.Current.Protect(Fail, () => [grad_output.clone()]);

        private static List<Tensor> Fail() => throw new InvalidOperationException("in backward");
    }
}


namespace Nabla.Training.Tests;

/// <summary>A run stopped anywhere and resumed ends in the same bits, and writes the same rows, as one that was not.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-resume-");

    public static TheoryData<string> Variants => [.. Options.Keys];

    private static Dictionary<string, TrainingOptions> Options { get; } = new()
    {
        ["plain"] = Base,
        ["ema-accumulation-clipping"] = Base with { EmaDecay = 0.9, AccumulateBatches = 2, GradientClipping = 0.5, Regularization = new() { L1 = 1e-3, L2 = 1e-2 } },
        ["one-cycle-sgd"] = Base with { Optimizer = new() { Name = "sgd", LearningRate = 0.1, Momentum = 0.9 }, Schedule = new() { Name = "one-cycle" } },
        ["plateau"] = Base with { Schedule = new() { Name = "plateau", Patience = 0, Gamma = 0.5 }, ValidateEverySteps = 2 },
        ["early-stopping"] = Base with { Epochs = 6, Optimizer = new() { LearningRate = 0.5 }, EarlyStopping = new() { Patience = 1 } },
        ["swa-batch-norm"] = Base with { Averaging = new() { Name = "swa", StartFraction = 0.4, EverySteps = 2, LearningRateFraction = 0.5, BatchNormBatches = 2 } },
        ["schedule-free"] = Base with { Optimizer = new() { Name = "schedule-free", LearningRate = 0.05, Extra = new Dictionary<string, double> { ["warmup_steps"] = 3 } } },
        ["sam-lookahead"] = Base with { Sam = new(), AccumulateBatches = 2, Optimizer = new() { Name = "sgd", LearningRate = 0.1, Momentum = 0.9, Lookahead = new() { Steps = 3 } } },
        ["muon-groups"] = Base with { Optimizer = new() { Name = "muon", LearningRate = 0.02, Groups = [new() { Match = "first.*", LearningRateFactor = 0.5 }], LayerDecay = 0.9 }, GradientClipping = 0.5, GradientClippingNorm = double.PositiveInfinity },
        ["lbfgs"] = Base with { Optimizer = new() { Name = "lbfgs", LearningRate = 0.5, Extra = new Dictionary<string, double> { ["max_iter"] = 3, ["history_size"] = 4 } }, Regularization = new() { L2 = 1e-2 } },
        ["sequential"] = Base with { GradientClippingValue = 0.1, Schedule = new() { Name = "sequential", PartStarts = [4], Parts = [new() { WarmupSteps = 3 }, new() { Name = "chained", Parts = [new() { Name = "cosine", FinalFraction = 0.1 }, new() { Name = "exponential", Gamma = 0.9 }] }] } },
        ["max-steps"] = Base with { MaxSteps = 9, Checkpoints = new() { EverySteps = 2, Monitor = "validation/accuracy" } },
    };

    private static TrainingOptions Base => new() { Epochs = 3, LogEverySteps = 4, Precision = "float32", Optimizer = new() { LearningRate = 0.05, WeightDecay = 0.01 } };

    public void Dispose() => _root.Delete(recursive: true);

    [Theory, MemberData(nameof(Variants))]
    public void Fit_InterruptedAtEachStepAndResumed_GivesSameBits(string variant)
    {
        var options = Options[variant];
        var (whole, expected) = Train(options, "whole", []);
        Assert.True(whole.Steps > 3);
        for (var at = 1L; at <= whole.Steps; at++)
        {
            var (result, actual) = Train(options, $"stopped-{at}", [at]);
            Assert.Equal(expected.Weights, actual.Weights);
            Assert.Equal(expected.Served, actual.Served);
            Assert.Equal(expected.Rows, actual.Rows);
            Assert.Equal(whole.StopReason, result.StopReason);
            Assert.Equal(whole.Steps, result.Steps);
            Assert.Equal(whole.Best, result.Best);
            Assert.Equal(whole.Metrics.Where(metric => metric.Key != "train/accuracy"), result.Metrics.Where(metric => metric.Key != "train/accuracy"));
        }
    }

    public static TheoryData<string> Optimizers => [.. OptimizerFactory.Names];

    [Theory, MemberData(nameof(Optimizers))]
    public void Fit_WithAnyOptimizerInterruptedOnce_GivesSameBits(string name)
    {
        var options = Base with { Epochs = 2, Optimizer = new() { Name = name, LearningRate = 0.01 } };
        var (_, expected) = Train(options, "whole", []);
        var (_, actual) = Train(options, "stopped", [3]);
        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Served, actual.Served);
        Assert.Equal(expected.Rows, actual.Rows);
    }

    [Fact]
    public void Fit_InterruptedAfterEveryStep_GivesSameBits()
    {
        var options = Options["ema-accumulation-clipping"];
        var (whole, expected) = Train(options, "whole", []);
        var (_, actual) = Train(options, "often", [.. Enumerable.Range(1, (int)whole.Steps).Select(step => (long)step)]);

        Assert.Equal(expected.Weights, actual.Weights);
        Assert.Equal(expected.Served, actual.Served);
        Assert.Equal(expected.Rows, actual.Rows);
    }

    [Fact]
    public void Fit_ResumedWithOtherSeed_IsRefusedWithBothValues()
    {
        Train(Base, "seed", [2], resume: false);
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "seed");
        using var task = new TinyTask();
        using var data = new TinyData();

        var error = Assert.Throws<CheckpointException>(() => new Trainer(Base).Fit(task, data.Loader, data.Loader, new() { Folder = folder, Seed = 8, Resume = true }));

        Assert.Contains("seed 7, now 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_NewRunInFolderWithCheckpoints_IsRefused()
    {
        Train(Base, "again", [2], resume: false);
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "again");
        using var task = new TinyTask();
        using var data = new TinyData();

        Assert.Contains("Resume it", Assert.Throws<CheckpointException>(() => new Trainer(Base).Fit(task, data.Loader, data.Loader, new() { Folder = folder, Seed = 7 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_ResumedAfterItEnded_ReturnsTheSameResultWithoutTraining()
    {
        var options = Options["early-stopping"];
        var (whole, expected) = Train(options, "ended", []);
        var folder = RunFolder.List(_root.FullName).Single(run => run.Name == "ended");
        using var task = new TinyTask(seed: 99);
        using var data = new TinyData();
        using var validation = new TinyData(seed: 4);

        var result = new Trainer(options).Fit(task, data.Loader, validation.Loader, new() { Folder = folder, Seed = 7, Resume = true });

        Assert.Equal(StopReason.EarlyStopping, whole.StopReason);
        Assert.Equal(whole.StopReason, result.StopReason);
        Assert.Equal(0, task.TrainingBatches);
        Assert.Equal(expected.Weights, Weights.Sum(task.Module));
        Assert.Equal(whole.Metrics, result.Metrics);
    }

    /// <summary>Trains with a stop after each of the given steps, each time in a fresh task, as a new process would.</summary>
    private (TrainingResult Result, Outcome Outcome) Train(TrainingOptions options, string name, long[] stops, bool resume = true)
    {
        var folder = RunFolder.Create(_root.FullName, name);
        using var data = new TinyData();
        using var validation = new TinyData(seed: 4);
        for (var i = 0; ; i++)
        {
            using var task = new TinyTask(seed: i == 0 ? 1 : 50 + i); // a resumed process must not depend on its initial weights
            using var stop = new CancellationTokenSource();
            var context = new TrainerContext { Folder = folder, Seed = 7, Resume = i > 0, Callbacks = i < stops.Length ? [new StopAt(stop, stops[i])] : [new Nothing()] };
            var result = new Trainer(options, null, null, new UnsyncedFiles()).Fit(task, data.Loader, validation.Loader, context, stop.Token);
            if (i == stops.Length || !resume)
            {
                var served = folder.OpenCheckpoints().OpenBest();
                var sum = Weights.Sum(task.Module);
                served.LoadServedWeights(task.Module);
                return (result, new(sum, Weights.Sum(task.Module), [.. folder.ReadMetrics().Select(Describe)]));
            }
        }
    }

    // The training accuracy of an epoch resumed in its middle is left out by design; times differ, and so does the share of time spent waiting.
    private static string Describe(MetricsRow row) => $"{row.Step} {row.Epoch} {string.Join(" ", row.Metrics.Where(metric => metric.Key is not ("train/accuracy" or "loader/wait-share")).Select(metric => $"{metric.Key}={metric.Value:R}"))}";

    private sealed record Outcome(string Weights, string Served, IReadOnlyList<string> Rows);

    private sealed class Nothing : TrainingCallback;
}

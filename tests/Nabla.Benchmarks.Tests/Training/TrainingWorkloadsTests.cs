namespace Nabla.Benchmarks.Tests;

/// <summary>Each workload in a tiny size: both sides step, and train models of the same size.</summary>
public sealed class TrainingWorkloadsTests
{
    private static readonly Dictionary<string, TrainingWorkload> Tiny = new TrainingWorkload[]
    {
        TrainingWorkloads.Mlp(batch: 4, features: 6, hidden: 8, classes: 3),
        TrainingWorkloads.Cnn(batch: 2, side: 8, channels: 4, dense: 8, classes: 3),
        TrainingWorkloads.ResNet(batch: 2, side: 16, width: 4, classes: 3),
        TrainingWorkloads.Lstm(batch: 2, time: 5, vocabulary: 7, embedding: 4, hidden: 6, layers: 2),
        TrainingWorkloads.Encoder("W5", "encoder", batch: 2, time: 6, vocabulary: 11, features: 8, layers: 2, heads: 2, hidden: 16, classes: 2, dropout: 0.1),
        TrainingWorkloads.Gpt(batch: 2, time: 6, vocabulary: 7, features: 8, layers: 2, heads: 2, dropout: 0.2),
        TrainingWorkloads.EncoderDecoder(batch: 3, shortest: 2, longest: 6, vocabulary: 9, features: 8, layers: 2, heads: 2, hidden: 16, dropout: 0.1),
        TrainingWorkloads.Encoder("W8", "bert", batch: 2, time: 6, vocabulary: 13, features: 12, layers: 3, heads: 3, hidden: 24, classes: 2, dropout: 0.1),
    }.ToDictionary(workload => workload.Name);

    public static TheoryData<string> Names => [.. Tiny.Keys];

    [Fact]
    public void Tiny_Workloads_AreThoseThatAreMeasured() => Assert.Equal(TrainingWorkloads.All.Select(workload => workload.Name).Order(), Tiny.Keys.Order());

    [Theory]
    [MemberData(nameof(Names))]
    public void Steps_OfBothSides_HaveFiniteLossesNearEachOther(string name)
    {
        using var baseline = Tiny[name].Baseline();
        using var nabla = Tiny[name].Nabla("float32");

        var (raw, own) = (baseline.Step(), nabla.Step());

        Assert.True(double.IsFinite(raw) && double.IsFinite(own), $"{raw} and {own}");
        Assert.InRange(own / raw, 0.25, 4); // other initial weights, the same task
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Models_OfBothSides_HaveTheSameNumberOfParameters(string name)
    {
        using var baseline = Tiny[name].Baseline();
        using var nabla = Tiny[name].Nabla("float32");

        Assert.Equal(((ISizedStep)baseline).Parameters, ((ISizedStep)nabla).Parameters);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Loss_OfBothSides_FallsOnTheFixedBatch(string name)
    {
        foreach (var make in new[] { Tiny[name].Baseline, () => Tiny[name].Nabla("float32") })
        {
            using var step = make();
            var first = Enumerable.Range(0, 3).Average(_ => step.Step());
            for (var i = 0; i < 150; i++)
            {
                step.Step();
            }
            Assert.True(Enumerable.Range(0, 3).Average(_ => step.Step()) < first);
        }
    }

    [Fact]
    public void DirectSteps_HaveTheParametersOfTheirWorkload_AndLearn()
    {
        foreach (var (direct, workload) in new[]
        {
            (AtenBaselines.Mlp(batch: 4, features: 6, hidden: 8, classes: 3), Tiny["W1"]),
            (AtenBaselines.Gpt(batch: 2, time: 6, vocabulary: 7, features: 8, layers: 2, heads: 2, dropout: 0), Tiny["W6"]),
        })
        {
            using (direct)
            {
                using var baseline = workload.Baseline();
                Assert.Equal(((ISizedStep)baseline).Parameters, ((ISizedStep)direct).Parameters);
                var first = direct.Step();
                for (var i = 0; i < 150; i++)
                {
                    direct.Step();
                }
                Assert.True(direct.Step() < first);
            }
        }
    }

    [Fact]
    public void SequencePairs_ArePaddedBehindTheirEnd()
    {
        using var scope = NewDisposeScope();
        using var pairs = SequencePairs.Draw(batch: 40, shortest: 2, longest: 6, vocabulary: 9);

        var lengths = pairs.Source.gt(0).sum(1);
        Assert.Equal((2, 6), (lengths.min().item<long>(), lengths.max().item<long>()));
        Assert.True(pairs.Source.gt(0).to_type(ScalarType.Int32).diff(dim: 1).le(0).all().item<bool>()); // once padding, always padding
        Assert.True(pairs.Target.ge(0).eq(pairs.Input.gt(0)).all().item<bool>());
    }

    [Fact]
    public void CheckpointOfAStep_BringsItsWeightsBack()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-bench-test-");
        using var step = (StepRunnerStep)Tiny["W1"].Nabla("float32");
        Nabla.Training.CheckpointStore store = new(folder.FullName);
        step.Step();
        step.Save(store, 1);
        var after = step.Step();
        step.Step();
        step.Load(store, 1);

        Assert.Equal(after, step.Step());
        folder.Delete(recursive: true);
    }
}

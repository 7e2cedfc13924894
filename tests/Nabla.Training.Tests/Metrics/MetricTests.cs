using CsCheck;

namespace Nabla.Training.Tests;

/// <summary>What holds for every metric.</summary>
[LeaksNoTensors]
public sealed class MetricTests
{
    private const int Classes = 6;

    public static TheoryData<string> Names => [.. MetricFactory.Names];

    private static bool IsRegression(string name) => name is "mae" or "mse" or "rmse" or "r2";

    private static (Tensor Predictions, Tensor Targets) Make(string name, int count, ulong seed)
    {
        using var generator = new Generator(seed);
        return IsRegression(name)
            ? (randn([count], generator: generator), randn([count], generator: generator))
            : (randn([count, Classes], generator: generator), randint(Classes, [count], generator: generator));
    }

    [Theory, MemberData(nameof(Names))]
    public void Compute_OfAnyCutIntoBatches_IsTheSame(string name)
        => Gen.Select(Gen.Int[1, 60], Gen.Int[0, 1000], Gen.Int[0, 60].Array[0, 4]).Sample((count, seed, cuts) =>
        {
            using var scope = NewDisposeScope();
            var (predictions, targets) = Make(name, count, (ulong)seed);
            Metric whole = MetricFactory.Create(name, IsRegression(name) ? null : Classes), parts = MetricFactory.Create(name, IsRegression(name) ? null : Classes);
            whole.Update(predictions, targets);
            int[] edges = [0, .. cuts.Select(cut => Math.Min(cut, count)).Order(), count];
            foreach (var (from, to) in edges.Zip(edges.Skip(1)))
            {
                parts.Update(predictions.narrow(0, from, to - from), targets.narrow(0, from, to - from));
            }
            var (expected, actual) = (whole.Compute(), parts.Compute());
            return expected.Equals(actual) || Math.Abs(expected - actual) <= 1e-9 * Math.Max(1, Math.Abs(expected));
        }, iter: 40, threads: 1);

    [Theory, MemberData(nameof(Names))]
    public void Reset_ForgetsEverything(string name)
    {
        using var scope = NewDisposeScope();
        Metric used = MetricFactory.Create(name), fresh = MetricFactory.Create(name);
        Assert.Equal(name, used.Name);
        used.Update(Make(name, 40, 1).Predictions, Make(name, 40, 1).Targets);
        used.Reset();
        Assert.True(double.IsNaN(used.Compute()));
        Assert.NotNull(used.UndefinedReason);
        var (predictions, targets) = Make(name, 50, 2);
        used.Update(predictions, targets);
        fresh.Update(predictions, targets);
        Assert.Equal(fresh.Compute(), used.Compute());
    }

    [Theory, MemberData(nameof(Names))]
    public void Compute_WithNaNPrediction_IsNaNWithReason(string name)
    {
        using var scope = NewDisposeScope();
        var (predictions, targets) = Make(name, 30, 3);
        predictions[4] = float.NaN;
        var metric = MetricFactory.Create(name);
        metric.Update(predictions, targets);
        Assert.True(double.IsNaN(metric.Compute()));
        Assert.Contains("NaN", metric.UndefinedReason);
    }

    [Theory, MemberData(nameof(Names))]
    public void Update_WithShapesThatDoNotFit_ThrowsShapeException(string name)
    {
        using var scope = NewDisposeScope();
        var targets = IsRegression(name) ? zeros(4) : zeros([4], ScalarType.Int64);
        Assert.Throws<ShapeException>(() => MetricFactory.Create(name).Update(zeros(5, Classes), targets));
    }

    [Fact]
    public void Update_WithLabelsOutOfRange_ThrowsDataException()
    {
        using var scope = NewDisposeScope();
        foreach (var name in new[] { "f1", "auc", "log-loss", "ece", "top5-accuracy", "perplexity" })
        {
            var error = Assert.Throws<DataException>(() => MetricFactory.Create(name, Classes).Update(zeros(2, Classes), tensor(new long[] { 1, Classes })));
            Assert.Contains($"got {Classes}", error.Message);
        }
        Assert.Throws<DataException>(() => MetricFactory.Create("accuracy").Update(zeros(2, Classes), zeros(2)));
    }

    [Theory, InlineData("accuracy"), InlineData("token-accuracy"), InlineData("top2-accuracy"), InlineData("f1"), InlineData("perplexity"), InlineData("ece"), InlineData("log-loss")]
    public void Update_OfTokens_LeavesIgnoredPlacesOut(string name)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var logits = randn([3, 4, Classes], generator: generator);
        var targets = randint(Classes, [3, 4], generator: generator);
        Metric padded = MetricFactory.Create(name), kept = MetricFactory.Create(name);
        kept.Update(logits.narrow(1, 0, 2), targets.narrow(1, 0, 2));
        targets.narrow(1, 2, 2).fill_(-100);
        padded.Update(logits, targets);
        Assert.Equal(kept.Compute(), padded.Compute(), 1e-9);
    }

    [Fact]
    public void TwoClasses_AsPairOrAsOneLogit_GiveTheSame()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(6);
        var logit = randn([200], ScalarType.Float64, generator: generator);
        var targets = randint(2, [200], generator: generator);
        foreach (var name in new[] { "accuracy", "auc", "average-precision", "log-loss", "ece", "f1" })
        {
            Metric one = MetricFactory.Create(name, 2), column = MetricFactory.Create(name, 2), pair = MetricFactory.Create(name, 2);
            one.Update(logit, targets);
            column.Update(logit.unsqueeze(1), targets);
            pair.Update(stack([-logit / 2, logit / 2], 1), targets);
            Assert.Equal(one.Compute(), pair.Compute(), 1e-9);
            Assert.Equal(one.Compute(), column.Compute(), 1e-9);
        }
    }

    [Fact]
    public void Auc_AgainstAllPairs_IsTheShareOfPairsInOrder()
        => Gen.Select(Gen.Int[-3, 3].Array[2, 40], Gen.Int[0, 1_000_000]).Sample((scores, bits) =>
        {
            var truth = scores.Select((_, i) => (bits >> (i % 20) & 1) == 1).ToArray();
            var pairs = (from i in Enumerable.Range(0, scores.Length)
                         from j in Enumerable.Range(0, scores.Length)
                         where truth[i] && !truth[j]
                         select scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0).ToArray();
            var actual = RankingCurve.Roc([.. scores.Select(score => (double)score)], truth);
            return pairs.Length == 0 ? double.IsNaN(actual) : Math.Abs(pairs.Average() - actual) < 1e-12;
        });

    [Fact]
    public void Auc_WithOneClassOnly_SaysWhy()
    {
        using var scope = NewDisposeScope();
        var metric = MetricFactory.Create("auc", 2);
        metric.Update(zeros(3), zeros([3], ScalarType.Int64));
        Assert.True(double.IsNaN(metric.Compute()));
        Assert.Equal("class 1 has no example.", metric.UndefinedReason);
    }

    [Fact]
    public void ConfusionMatrix_OfMetric_CountsTruthByRows()
    {
        using var scope = NewDisposeScope();
        var metric = (ConfusionMetric)MetricFactory.Create("confusion-matrix", 3);
        metric.Update(tensor(new long[] { 0, 2, 2 }), tensor(new long[] { 0, 1, 2 }));
        long[][] expected = [[1, 0, 0], [0, 0, 1], [0, 0, 1]];
        Assert.Equal(expected, metric.Matrix.ToArray());
        Assert.Equal(2 / 3.0, metric.Compute(), 12);
        Assert.Equal(0.5, metric.Matrix.OfClass(ClassScore.Precision, 2));
    }

    [Fact]
    public void Create_WithUnknownName_SuggestsTheNearest()
    {
        var error = Assert.Throws<OptionsException>(() => MetricFactory.Create("acuracy"));
        Assert.Contains("'accuracy'", error.Message);
        Assert.Throws<OptionsException>(() => MetricFactory.Create("top0-accuracy"));
    }

    [Theory, InlineData("image-classification", 10, "accuracy"), InlineData("text-classification", 2, "accuracy"), InlineData("tabular-regression", null, "rmse"), InlineData("language-modeling", null, "perplexity")]
    public void Defaults_OfTasks_AreMetricsThatExist(string task, int? classes, string first)
    {
        var names = MetricDefaults.For(task, classes);
        Assert.Equal(first, names[0]);
        Assert.All(names, name => Assert.Equal(name, MetricFactory.Create(name, classes).Name));
        Assert.Throws<OptionsException>(() => MetricDefaults.For("tune-a-piano"));
    }
}

using CsCheck;

namespace Nabla.Nn.Tests;

/// <summary>Losses against closed forms in plain arithmetic, and their answers to targets that cannot be right.</summary>
public sealed class LossesTests
{
    public static TheoryData<string> Names => [.. Losses.Names];

    [Fact]
    public void CrossEntropy_SmoothedWeightedIgnored_IsTheClosedForm() => Gen.Select(Gen.Int[1, 5], Gen.Int[1, 4], Gen.Int[2, 6], Gen.Double[0, 0.9], Gen.Bool, Gen.Int[0, 1000]).Sample((batch, time, classes, smoothing, isWeighted, seed) =>
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(seed);
        var logits = torch.randn(batch, time, classes, dtype: ScalarType.Float64);
        var targets = torch.randint(classes, [batch, time], ScalarType.Int64);
        targets.narrow(0, 0, 1).narrow(1, 0, 1).fill_(batch * time > 1 ? -100 : 0);
        double[] weights = [.. Enumerable.Range(0, classes).Select(c => isWeighted ? 0.5 + c : 1)];
        using var loss = Losses.Create(new() { LabelSmoothing = smoothing, ClassWeights = isWeighted ? weights : null });

        var actual = loss.call(logits, targets).ToDouble();

        double[] x = TensorAssert.Doubles(logits), y = TensorAssert.Doubles(targets);
        var (sum, total) = (0.0, 0.0);
        for (var i = 0; i < y.Length; i++)
        {
            if (y[i] < 0)
            {
                continue;
            }
            var row = x.AsSpan(i * classes, classes).ToArray();
            var logSum = Math.Log(row.Sum(Math.Exp));
            var own = (int)y[i];
            sum += ((1 - smoothing) * weights[own] * (logSum - row[own])) + (smoothing / classes * row.Select((score, c) => weights[c] * (logSum - score)).Sum());
            total += weights[own];
        }
        Assert.Equal(sum / total, actual, 1e-9);
    }, iter: 100, threads: 1);

    [Theory, MemberData(nameof(Names))]
    public void Loss_AnyName_IsFiniteHasGradientAndLeaksNothing(string name)
    {
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (NewDisposeScope())
        {
            using var loss = Losses.Create(new() { Name = name });
            var (predictions, targets) = Example(name);
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
            {
                var x = predictions.to(type).detach().requires_grad_();
                var value = loss.call(x, targets);
                Assert.Equal(ScalarType.Float32, value.dtype); // half precision is widened
                TensorAssert.HasShape([], value);
                TensorAssert.Finite(value.detach());
                value.backward();
                TensorAssert.Finite(x.grad!);
                Assert.True(x.grad!.abs().sum().ToDouble() > 0);
            }
        }
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData("cross-entropy")]
    [InlineData("nll")]
    [InlineData("focal-classes")]
    [InlineData("multi-margin")]
    public void Loss_LabelOutOfRange_NamesLabelAndClasses(string name)
    {
        using var scope = NewDisposeScope();
        using var loss = Losses.Create(new() { Name = name });
        foreach (var bad in (long[])[-1, 3, 255])
        {
            var error = Assert.Throws<DataException>(() => loss.call(torch.zeros(2, 3), torch.tensor(new long[] { 0, bad })));
            Assert.Contains($"class id {bad} at [1] is out of range: there are 3 class ids, 0 to 2", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Loss_TargetsOfAnotherShape_ThrowsInsteadOfBroadcasting()
    {
        using var scope = NewDisposeScope();
        using var mse = Losses.Create(new() { Name = "mse" });
        Assert.Throws<ShapeException>(() => mse.call(torch.zeros(4, 2), torch.zeros(4)));
        Assert.Throws<ShapeException>(() => mse.call(torch.zeros(4), torch.zeros(1)));
        Assert.Equal(1, mse.call(torch.zeros(4, 1), torch.ones(4)).ToDouble(), 1e-12); // only a last axis of 1 is forgiven
        using var crossEntropy = Losses.Create(new());
        Assert.Throws<ShapeException>(() => crossEntropy.call(torch.zeros(4, 3), torch.zeros(5, ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => crossEntropy.call(torch.zeros(4, 3), torch.zeros(4)));
    }

    [Fact]
    public void Loss_ClassWeightsOfAnotherCount_Throws()
    {
        using var scope = NewDisposeScope();
        using var loss = Losses.Create(new() { ClassWeights = [1, 2] });
        Assert.Throws<ShapeException>(() => loss.call(torch.zeros(2, 3), torch.zeros(2, ScalarType.Int64)));
    }

    [Fact]
    public void Loss_ClassWeights_AreNotSaved()
    {
        using var loss = Losses.Create(new() { ClassWeights = [1, 2] });
        Assert.Empty(loss.state_dict());
    }

    [Fact]
    public void LossOptions_WrongValues_ReportsAllAtOnce()
    {
        var error = Assert.Throws<OptionsException>(() => new LossOptions { Name = "crossentropy", LabelSmoothing = 1, ClassWeights = [-1] }.Validate());
        Assert.Contains("Did you mean 'cross-entropy'?", error.Message, StringComparison.Ordinal);
        Assert.Contains("LabelSmoothing must be in [0, 1); it is 1.", error.Problems);
        Assert.True(error.Problems.Count >= 3);
    }

    [Fact]
    public void ConnectionistTemporal_WrongTargets_ThrowsInsteadOfReadingBeyond()
    {
        using var scope = NewDisposeScope();
        var logProbabilities = torch.zeros(5, 2, 3).log_softmax(-1);
        Tensor Ids(params long[] ids) => torch.tensor(ids);
        Assert.Throws<DataException>(() => LossFunctions.ConnectionistTemporal(logProbabilities, Ids(1, 3), Ids(5, 5), Ids(1, 1)));
        Assert.Throws<DataException>(() => LossFunctions.ConnectionistTemporal(logProbabilities, Ids(1, 2), Ids(5, 6), Ids(1, 1)));
        Assert.Throws<ShapeException>(() => LossFunctions.ConnectionistTemporal(logProbabilities, Ids(1, 2, 1), Ids(5, 5), Ids(1, 1)));
        Assert.Throws<ShapeException>(() => LossFunctions.ConnectionistTemporal(logProbabilities, Ids(1, 2), Ids(5), Ids(1, 1)));
    }

    private static (Tensor Predictions, Tensor Targets) Example(string name)
    {
        torch.manual_seed(8);
        return name switch
        {
            "cross-entropy" or "focal-classes" or "multi-margin" => (torch.randn(5, 4), torch.randint(4, [5], ScalarType.Int64)),
            "nll" or "kl-divergence" => (torch.randn(5, 4).log_softmax(-1), name == "nll" ? torch.randint(4, [5], ScalarType.Int64) : torch.randn(5, 4).softmax(-1)),
            "pinball" => (torch.randn(5, 3), torch.randn(5)),
            "poisson-nll" => (torch.randn(5), torch.randint(6, [5], ScalarType.Int64)),
            "hinge" or "squared-hinge" or "soft-margin" => (torch.randn(5), torch.randint(2, [5], ScalarType.Int64).mul(2).sub(1)),
            "dice" => (torch.randn(2, 3, 4, 4), torch.randint(2, [2, 3, 4, 4], ScalarType.Int64)),
            "binary-cross-entropy" or "focal" or "multi-label-soft-margin" => (torch.randn(5, 4), torch.randint(2, [5, 4], ScalarType.Int64)),
            _ => (torch.randn(5, 2), torch.randn(5, 2)),
        };
    }
}

namespace Nabla.Training.Tests;

/// <summary>What all optimisers share: groups, state, refusals.</summary>
[LeaksNoTensors]
public sealed class OptimizerTests
{
    public static TheoryData<string> Names => [.. OptimizerFactory.Names];

    private static OptimizerOptions Options(string name) => new() { Name = name, LearningRate = 0.01, WeightDecay = 0.1, Momentum = name is "sgd" or "rmsprop" ? 0.9 : 0 };

    private static Parameter Make(params long[] shape)
    {
        using var generator = new Generator((ulong)shape.Sum() + 7);
        return randn(shape, generator: generator).AsOwnedParameter();
    }

    private static void GiveGradient(Parameter parameter, int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        parameter.grad = randn(parameter.shape, generator: generator);
    }

    [Theory, MemberData(nameof(Names))]
    public void LoadState_IntoFreshOptimizer_ContinuesBitForBit(string name)
    {
        using Parameter first = Make(3, 4), copy = Make(3, 4);
        using var original = OptimizerFactory.Create(Options(name), [new NamedParameter("layer.weight", first)]);
        using var resumed = OptimizerFactory.Create(Options(name), [new NamedParameter("layer.weight", copy)]);
        for (var step = 0; step < 7; step++)
        {
            GiveGradient(first, step);
            original.Step();
            if (step == 3)
            {
                using (no_grad())
                {
                    copy.copy_(first);
                }
                resumed.LoadState(original.State);
                Assert.Equal(original.State.Keys.Order(), resumed.State.Keys.Order());
            }
            if (step > 3)
            {
                GiveGradient(copy, step);
                resumed.Step();
                TensorAssert.Equal(first, copy, $"{name} at step {step}");
            }
        }
        original.ZeroGradients();
        resumed.ZeroGradients();
        Assert.Null(first.grad);
    }

    [Theory, MemberData(nameof(Names))]
    public void Step_WithFrozenAndGradientlessParameters_LeavesThem(string name)
    {
        using Parameter trained = Make(2, 2), frozen = Make(2, 3), idle = Make(4);
        frozen.requires_grad = false;
        using var scope = NewDisposeScope();
        var before = idle.detach().clone();
        using var optimizer = OptimizerFactory.Create(Options(name), [new("trained", trained), new("frozen", frozen), new NamedParameter("idle", idle)]);
        GiveGradient(trained, 1);
        optimizer.Step();
        TensorAssert.Equal(before, idle);
        Assert.All(optimizer.State.Keys, key => Assert.StartsWith("trained.", key));
        Assert.DoesNotContain(optimizer.Groups.SelectMany(group => group.Parameters), parameter => parameter.Name == "frozen");
        optimizer.ZeroGradients();
    }

    [Theory, MemberData(nameof(Names))]
    public void Create_ByDefault_DecaysMatricesOnly(string name)
    {
        using Parameter weight = Make(2, 2), bias = Make(2);
        NamedParameter[] parameters = [new("weight", weight), new("bias", bias)];
        using var optimizer = OptimizerFactory.Create(Options(name), parameters);
        Assert.Equal([(0.1, "weight"), (0.0, "bias")], optimizer.Groups.Select(group => (group.WeightDecay, group.Parameters.Single().Name)));
        using var all = OptimizerFactory.Create(Options(name) with { DecayNormsAndBiases = true }, parameters);
        Assert.Equal(0.1, all.Groups.Single().WeightDecay);
    }

    [Fact]
    public void Step_OverManySteps_KeepsTensorCountFlat()
    {
        foreach (var name in OptimizerFactory.Names)
        {
            using var weight = Make(3, 3);
            using var optimizer = OptimizerFactory.Create(Options(name), [new NamedParameter("weight", weight)]);
            GiveGradient(weight, 1);
            optimizer.Step();
            _ = optimizer.State;
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (var step = 0; step < 20; step++)
            {
                optimizer.Step();
                _ = optimizer.State;
            }
            Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            optimizer.ZeroGradients();
        }
    }

    [Fact]
    public void LoadState_ThatDoesNotFit_NamesEveryDifference()
    {
        using Parameter weight = Make(2, 3), bias = Make(3);
        using var optimizer = OptimizerFactory.Create(new(), [new("weight", weight), new NamedParameter("bias", bias)]);
        using var scope = NewDisposeScope();
        var state = new Dictionary<string, Tensor>
        {
            ["weight.step"] = tensor(3L),
            ["weight.first_moment"] = zeros(3, 2),
            ["bias.second_moment"] = zeros(3),
            ["other.step"] = tensor(1L),
        };
        var error = Assert.Throws<CheckpointException>(() => optimizer.LoadState(state));
        Assert.Contains("5 differences", error.Message);
        Assert.Contains("'weight.first_moment' has shape [3, 2], expected [2, 3]", error.Message);
        Assert.Contains("'weight.second_moment' is missing", error.Message);
        Assert.Contains("'bias.step' is missing", error.Message);
        Assert.Contains("'bias.first_moment' is missing", error.Message);
        Assert.Contains("'other.step' is not part of this optimiser", error.Message);
        Assert.Empty(optimizer.State);
    }

    [Fact]
    public void Momentum_SetBySchedule_ActsWhereThereIsOne()
    {
        using var weight = Make(2, 2);
        NamedParameter[] parameters = [new("weight", weight)];
        using var plain = OptimizerFactory.Create(new() { Name = "sgd" }, parameters);
        plain.Momentum = 0.5;
        Assert.Null(plain.Momentum);
        using var adam = OptimizerFactory.Create(new() { Name = "adam" }, parameters);
        adam.Momentum = 0.85;
        Assert.Equal(0.85, adam.Momentum);
        adam.Momentum = null;
        Assert.Equal(0.85, adam.Momentum);
        Assert.Throws<ArgumentOutOfRangeException>(() => adam.Momentum = 1);
    }

    [Fact]
    public void Create_WithUnknownName_SuggestsTheNearest()
    {
        using var weight = Make(2, 2);
        var error = Assert.Throws<OptionsException>(() => OptimizerFactory.Create(new() { Name = "adamq" }, [new NamedParameter("weight", weight)]));
        Assert.Contains("Did you mean 'adam", error.Message);
    }

    [Fact]
    public void Validate_WithForeignOptions_ListsAllProblems()
    {
        var options = new OptimizerOptions { Name = "adagrad", Momentum = 0.9, Nesterov = true, Betas = [0.9, 0.99], Extra = new Dictionary<string, double> { ["lr_decai"] = 1, ["initial_accumulator_value"] = -1 } };
        var error = Assert.Throws<OptionsException>(() => OptimizerFactory.Validate(options));
        Assert.Equal(5, error.Problems.Count);
        Assert.Contains(error.Problems, problem => problem.Contains("'lr_decay'"));
    }

    [Fact]
    public void Create_WithNothingToTrain_Throws()
    {
        using var weight = Make(2, 2);
        weight.requires_grad = false;
        Assert.Throws<ArgumentException>(() => OptimizerFactory.Create(new(), [new NamedParameter("weight", weight)]));
        weight.requires_grad = true;
        Assert.Throws<ArgumentException>(() => OptimizerFactory.Create(new(), [new NamedParameter("weight", weight), new("weight", weight)]));
    }

    [Theory, InlineData("adamw"), InlineData("adam"), InlineData("sgd")]
    public void FusedKernels_WithParametersAtDifferentSteps_AgreeWithPlainPath(string name)
    {
        using Parameter a1 = Make(5, 3), b1 = Make(7), a2 = Make(5, 3), b2 = Make(7);
        using var fused = OptimizerFactory.Create(Options(name), Group(a1, b1), useFusedKernels: true);
        using var plain = OptimizerFactory.Create(Options(name), Group(a2, b2), useFusedKernels: false);
        for (var step = 0; step < 12; step++)
        {
            foreach (var (optimizer, a, b) in new[] { (fused, a1, b1), (plain, a2, b2) })
            {
                optimizer.ZeroGradients();
                GiveGradient(a, step);
                if (step % 3 != 0)
                {
                    GiveGradient(b, step + 100);
                }
                optimizer.LearningRate = 0.01 * (step + 1);
                optimizer.Step();
            }
            TensorAssert.Close(a2, a1, 1e-6, 1e-6, $"a at step {step}");
            TensorAssert.Close(b2, b1, 1e-6, 1e-6, $"b at step {step}");
        }
        Assert.Equal(8, fused.State["b.step"].item<long>());
        fused.ZeroGradients();
        plain.ZeroGradients();

        static ParameterGroup[] Group(Parameter a, Parameter b) => [new() { Parameters = [new("a", a), new("b", b)], WeightDecay = 0.1 }];
    }
}

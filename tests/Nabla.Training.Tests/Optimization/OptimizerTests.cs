namespace Nabla.Training.Tests;

/// <summary>What all optimisers share: groups, state, refusals.</summary>
[LeaksNoTensors]
public sealed class OptimizerTests
{
    public static TheoryData<string> Names => [.. OptimizerFactory.Names];

    private static OptimizerOptions Options(string name)
    {
        var rule = OptimizerRule.All.Single(rule => rule.Name == name);
        return new()
        {
            Name = name,
            LearningRate = 0.01,
            WeightDecay = rule.TakesWeightDecay ? 0.1 : 0,
            Momentum = rule.TakesMomentum ? 0.9 : null,
            Extra = name switch { "asgd" => new Dictionary<string, double> { ["t0"] = 2 }, "adafactor-transformers" => new Dictionary<string, double> { ["beta1"] = 0.9 }, _ => null },
        };
    }

    /// <summary>A step on the gradients that are there; for lbfgs they are those of the closure too.</summary>
    private static void Take(Optimizer optimizer)
    {
        if (optimizer.NeedsClosure)
        {
            optimizer.Step(() => 1);
        }
        else
        {
            optimizer.Step();
        }
    }

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
            Take(original);
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
                Take(resumed);
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
        Take(optimizer);
        TensorAssert.Equal(before, idle);
        Assert.All(optimizer.State.Keys, key => Assert.True(key.StartsWith("trained.", StringComparison.Ordinal) || key.StartsWith('@'), key));
        Assert.DoesNotContain(optimizer.Groups.SelectMany(group => group.Parameters), parameter => parameter.Name == "frozen");
        optimizer.ZeroGradients();
    }

    public static TheoryData<string> DecayingNames => [.. OptimizerRule.All.Where(rule => rule.TakesWeightDecay && rule.Name != "muon").Select(rule => rule.Name)];

    [Theory, MemberData(nameof(DecayingNames))]
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
            Take(optimizer);
            Take(optimizer);
            _ = optimizer.State;
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (var step = 0; step < 20; step++)
            {
                Take(optimizer);
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

    public static TheoryData<string> FusedNames => ["adamw", "adam", "sgd", "lion", "lamb", "adafactor", "muon"];

    [Theory, MemberData(nameof(FusedNames))]
    public void Kernels_WithParametersAtDifferentSteps_AgreeWithPlainPath(string name)
    {
        foreach (var kernels in new[] { KernelChoice.Fastest, KernelChoice.Lists })
        {
            using Parameter a1 = Make(5, 33), b1 = Make(7), c1 = Make(2, 3, 4), a2 = Make(5, 33), b2 = Make(7), c2 = Make(2, 3, 4);
            using var fused = OptimizerFactory.Create(Options(name), Group(a1, b1, c1), kernels);
            using var plain = OptimizerFactory.Create(Options(name), Group(a2, b2, c2), KernelChoice.Plain);
            for (var step = 0; step < 12; step++)
            {
                foreach (var (optimizer, a, b, c) in new[] { (fused, a1, b1, c1), (plain, a2, b2, c2) })
                {
                    optimizer.ZeroGradients();
                    GiveGradient(a, step);
                    GiveGradient(c, step + 200);
                    if (step % 3 != 0)
                    {
                        GiveGradient(b, step + 100);
                    }
                    optimizer.LearningRate = 0.01 * (step + 1);
                    optimizer.Step();
                }
                TensorAssert.Close(a2, a1, 2e-6, 2e-6, $"a at step {step}, {kernels}");
                TensorAssert.Close(b2, b1, 2e-6, 2e-6, $"b at step {step}, {kernels}");
                TensorAssert.Close(c2, c1, 2e-6, 2e-6, $"c at step {step}, {kernels}");
            }
            Assert.Equal(8, fused.State["b.step"].item<long>());
            fused.ZeroGradients();
            plain.ZeroGradients();
        }

        static ParameterGroup[] Group(Parameter a, Parameter b, Parameter c) => [new() { Parameters = [new("a", a), new("b", b), new("c", c)], WeightDecay = 0.1 }];
    }

    /// <summary>Large enough for several pieces, so that threads share the work.</summary>
    [Theory, MemberData(nameof(FusedNames))]
    public void Kernels_WithOtherThreads_GiveTheSameBits(string name)
    {
        if (name == "muon")
        {
            return; // its products are libtorch's, which share sums out among threads
        }
        ThreadCounts.AssertSameBits(() =>
        {
            using var parameter = Make(600, 700);
            using var optimizer = OptimizerFactory.Create(Options(name), [new NamedParameter("weight", parameter)]);
            for (var step = 0; step < 3; step++)
            {
                GiveGradient(parameter, step);
                optimizer.Step();
            }
            optimizer.ZeroGradients();
            using var values = parameter.detach();
            return values.data<float>().ToArray();
        });
    }

    /// <summary>Gradients that lie in memory in another order than their parameter must not be paired entry by entry.</summary>
    [Theory, MemberData(nameof(FusedNames))]
    public void Kernels_WithTransposedGradient_AgreeWithPlainPath(string name)
    {
        using Parameter fast = Make(6, 9), plain = Make(6, 9);
        foreach (var (parameter, kernels) in new[] { (fast, KernelChoice.Fastest), (plain, KernelChoice.Plain) })
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator(5);
            using var optimizer = OptimizerFactory.Create(Options(name), [new ParameterGroup { Parameters = [new("weight", parameter)] }], kernels);
            parameter.grad = randn([9, 6], generator: generator).transpose(0, 1);
            optimizer.Step();
            optimizer.ZeroGradients();
        }
        TensorAssert.Close(plain, fast, 1e-6, 1e-6, name);
    }

    [Fact]
    public void Lbfgs_WhenTheClosureThrows_IsAsBeforeTheStep()
    {
        using var weight = Make(3, 3);
        using var scope = NewDisposeScope();
        using var optimizer = OptimizerFactory.Create(new() { Name = "lbfgs", LearningRate = 1, Extra = new Dictionary<string, double> { ["strong_wolfe"] = 1, ["max_iter"] = 4, ["history_size"] = 2 } }, [new NamedParameter("weight", weight)]);
        var calls = 0;
        double Loss()
        {
            optimizer.ZeroGradients();
            var loss = weight.pow(4).sum() + weight.sum();
            loss.backward();
            return calls-- == 0 ? throw new InvalidOperationException("no more data") : loss.item<float>();
        }
        calls = int.MaxValue;
        optimizer.Step(Loss);
        optimizer.Step(Loss);
        var (values, state) = (weight.detach().clone(), optimizer.State.ToDictionary(entry => entry.Key, entry => entry.Value.clone()));
        foreach (var good in new[] { 0, 1, 3 })
        {
            calls = good;
            Assert.Equal("no more data", Assert.Throws<InvalidOperationException>(() => optimizer.Step(Loss)).Message);
            TensorAssert.Equal(values, weight.detach());
            Assert.All(optimizer.State, entry => TensorAssert.Equal(state[entry.Key], entry.Value, entry.Key));
        }
        calls = int.MaxValue;
        var before = optimizer.Step(Loss);
        Assert.True(Loss() < before);
        Assert.Throws<InvalidOperationException>(optimizer.Step);
        optimizer.ZeroGradients();
    }

    [Fact]
    public void Groups_ByPatternAndLayer_GiveRatesAndDecay()
    {
        using Parameter embed = Make(4, 2), block0 = Make(2, 2), bias1 = Make(2), head = Make(3, 2);
        NamedParameter[] parameters = [new("embedding.weight", embed), new("blocks.0.linear.weight", block0), new("blocks.1.linear.bias", bias1), new("head.weight", head)];
        using var optimizer = OptimizerFactory.Create(
            new() { WeightDecay = 0.1, LayerDecay = 0.5, Groups = [new() { Match = "head.*", LearningRateFactor = 10, WeightDecay = 0 }, new() { Match = "*" }] }, parameters);
        Assert.Equal(
            [("blocks.0.linear.weight", 0.25, 0.1), ("blocks.1.linear.bias", 0.5, 0), ("embedding.weight", 0.125, 0.1), ("head.weight", 10, 0)],
            optimizer.Groups.SelectMany(group => group.Parameters.Select(parameter => (parameter.Name, group.LearningRateFactor, group.WeightDecay))).OrderBy(row => row.Name, StringComparer.Ordinal));
        var error = Assert.Throws<OptionsException>(() => OptimizerFactory.Create(new() { Groups = [new() { Match = "heat.*" }] }, parameters));
        Assert.Contains("no trained parameter fits 'heat.*'", error.Message);
    }

    [Fact]
    public void Muon_LeavesEmbeddingsHeadsAndVectorsToAdamW()
    {
        using Parameter embed = Make(4, 2), hidden = Make(2, 2), bias = Make(2), head = Make(3, 2);
        NamedParameter[] parameters = [new("embedding.weight", embed), new("blocks.0.weight", hidden), new("blocks.0.bias", bias), new("head.weight", head)];
        using var optimizer = OptimizerFactory.Create(new() { Name = "muon", LearningRate = 0.02, Auxiliary = new() { LearningRate = 0.001 } }, parameters);
        foreach (var (_, parameter) in parameters)
        {
            GiveGradient(parameter, 3);
        }
        optimizer.Step();
        Assert.Equal(["blocks.0.weight.momentum", "blocks.0.weight.step"], optimizer.State.Keys.Where(key => key.StartsWith("blocks.0.weight", StringComparison.Ordinal)).Order());
        Assert.All(["embedding.weight", "blocks.0.bias", "head.weight"], name => Assert.Contains(name + ".second_moment", optimizer.State.Keys));
        optimizer.LearningRate = 0.01;
        Assert.Equal(0.01, optimizer.LearningRate);
        Assert.Throws<ArgumentException>(() => OptimizerFactory.Create(new() { Name = "muon" }, [new NamedParameter("head.weight", head)]));
        optimizer.ZeroGradients();
    }

    [Fact]
    public void Validate_OfNewOptions_RefusesWhatDoesNotBelong()
    {
        string Problem(OptimizerOptions options) => Assert.Throws<OptionsException>(() => OptimizerFactory.Validate(options)).Message;
        Assert.Contains("takes no groups", Problem(new() { Name = "lbfgs", Groups = [new() { Match = "*" }] }));
        Assert.Contains("takes no lookahead", Problem(new() { Name = "schedule-free", Lookahead = new() }));
        Assert.Contains("has no weight_decay", Problem(new() { Name = "rprop", WeightDecay = 0.1 }));
        Assert.Contains("takes no auxiliary", Problem(new() { Name = "adamw", Auxiliary = new() }));
        Assert.Contains("alpha must be in (0, 1]", Problem(new() { Lookahead = new() { Alpha = 2 } }));
        Assert.Contains("adan takes 3 betas", Problem(new() { Name = "adan", Betas = [0.9, 0.99] }));
        Assert.Contains("ns_steps must be an integer", Problem(new() { Name = "muon", Extra = new Dictionary<string, double> { ["ns_steps"] = 2.5 } }));
    }

    /// <summary>The page where users look first names every optimiser with its own options and defaults, and every schedule.</summary>
    [Fact]
    public void TrainingPage_NamesEverything()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Nabla.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no folder above holds Nabla.slnx");
        }
        var lines = File.ReadAllLines(Path.Combine(folder.FullName, "docs", "training.md"));
        foreach (var rule in OptimizerRule.All)
        {
            var row = Assert.Single(lines, line => line.StartsWith($"| `{rule.Name}` |", StringComparison.Ordinal));
            foreach (var (name, option) in rule.Extra)
            {
                var written = System.Text.RegularExpressions.Regex.Match(row, $@"\b{name} (-?[0-9.e-]+)");
                Assert.True(written.Success, $"{rule.Name}: {name} is not in docs/training.md");
                Assert.Equal(option.Default, double.Parse(written.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));
            }
        }
        Assert.All(ScheduleFactory.Names, name => Assert.Contains(lines, line => line.StartsWith('|') && line.Split('|')[1].Contains($"`{name}`", StringComparison.Ordinal)));
    }
}

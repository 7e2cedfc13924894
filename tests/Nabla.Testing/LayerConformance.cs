namespace Nabla.Testing;

/// <summary>What <see cref="LayerConformance"/> must know about a layer.</summary>
/// <typeparam name="TModule">The layer.</typeparam>
public sealed record LayerCheck<TModule>
    where TModule : torch.nn.Module
{
    /// <summary>Makes the layer; it is called several times, and two layers may have different weights.</summary>
    public required Func<TModule> Create { get; init; }

    /// <summary>Makes the input for a batch size; float32, or int64 for layers that take ids.</summary>
    public required Func<long, Tensor> Input { get; init; }

    /// <summary>Runs the layer on the input and gives the output that is checked.</summary>
    public required Func<TModule, Tensor, Tensor> Forward { get; init; }

    /// <summary>Shape of the output for a batch size.</summary>
    public required Func<long, long[]> OutputShape { get; init; }

    /// <summary>Batch sizes that are tried. Default: 1, 2, 3, 7.</summary>
    public IReadOnlyList<long> BatchSizes { get; init; } = [1, 2, 3, 7];

    /// <summary>Smallest batch that the layer takes while training (batch normalisation: 2). Default: 1.</summary>
    public long SmallestTrainingBatch { get; init; } = 1;

    /// <summary>Parameters that legitimately get no gradient or a zero one, such as the bias before a normalisation. Default: none.</summary>
    public IReadOnlyCollection<string> WithoutGradient { get; init; } = [];

    /// <summary>Whether the input is a float tensor whose gradient is checked too. Default: true; ids are recognised by their type.</summary>
    public bool DifferentiatesInput { get; init; } = true;

    /// <summary>Largest allowed difference between float32 and float64 outputs. Default: 1e-4.</summary>
    public double PrecisionTolerance { get; init; } = 1e-4;
}

/// <summary>
/// The checks that every layer passes: shapes for several batch sizes, gradients reach all parameters, save and load, moves of type,
/// bfloat16 autocast, repeatable evaluation, arguments left alone, parts that survive the scope of their construction, no leaks.
/// </summary>
public static class LayerConformance
{
    /// <summary>Checks a layer from one tensor to one tensor.</summary>
    /// <typeparam name="TModule">The layer.</typeparam>
    /// <param name="create">Makes the layer.</param>
    /// <param name="input">Makes the input for a batch size.</param>
    /// <param name="outputShape">Shape of the output for a batch size.</param>
    public static void Check<TModule>(Func<TModule> create, Func<long, Tensor> input, Func<long, long[]> outputShape)
        where TModule : torch.nn.Module<Tensor, Tensor>
        => Check(new LayerCheck<TModule> { Create = create, Input = input, OutputShape = outputShape, Forward = (layer, x) => layer.call(x) });

    /// <summary>Runs every check.</summary>
    /// <typeparam name="TModule">The layer.</typeparam>
    /// <param name="check">The layer and what it promises.</param>
    public static void Check<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        ArgumentNullException.ThrowIfNull(check);
        NablaRuntime.EnsureLoaded();
        torch.manual_seed(3); // or some weights of some runs would have no gradient, a dead ReLU for one
        HasExpectedShapes(check);
        GradientsReachEverything(check);
        StateRoundTripGivesEqualOutputs(check);
        MovesBetweenTypes(check);
        WorksUnderAutocast(check);
        EvaluationIsRepeatable(check);
        LeavesArgumentsAlone(check);
        PartsOutliveTheScopeAroundConstruction(check);
        LeaksNothing(check);
    }

    private static void HasExpectedShapes<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var layer = check.Create();
        foreach (var batch in check.BatchSizes)
        {
            foreach (var training in (bool[])[false, true])
            {
                if (training && batch < check.SmallestTrainingBatch)
                {
                    continue;
                }
                layer.train(training);
                TensorAssert.HasShape(check.OutputShape(batch), check.Forward(layer, check.Input(batch)));
            }
        }
    }

    private static void GradientsReachEverything<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var layer = check.Create();
        layer.train();
        var input = check.Input(Math.Max(7, check.SmallestTrainingBatch));
        var isFloat = input.is_floating_point() && check.DifferentiatesInput;
        if (isFloat)
        {
            input.requires_grad_();
        }
        var output = check.Forward(layer, input);
        if (!output.requires_grad)
        {
            Xunit.Assert.False(layer.parameters().Any() || isFloat, "The output carries no gradient.");
            return;
        }
        using var generator = new Generator(17);
        (output * torch.randn(output.shape, output.dtype, generator: generator)).sum().backward();
        foreach (var (name, parameter) in layer.named_parameters().Where(named => named.parameter.requires_grad && !check.WithoutGradient.Contains(named.name)))
        {
            var gradient = parameter.grad;
            Xunit.Assert.True(gradient is not null, $"No gradient reaches {name}.");
            TensorAssert.Finite(gradient!, $"gradient of {name}");
            Xunit.Assert.True(gradient!.abs().sum().ToDouble() > 0, $"The gradient of {name} is zero everywhere.");
        }
        if (isFloat)
        {
            Xunit.Assert.True(input.grad is not null, "No gradient reaches the input.");
            TensorAssert.Finite(input.grad!, "gradient of the input");
        }
    }

    private static void StateRoundTripGivesEqualOutputs<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using TModule first = check.Create(), second = check.Create();
        first.eval();
        second.eval();
        var state = first.state_dict().ToDictionary(named => named.Key, named => named.Value.clone());
        Xunit.Assert.Equal(first.named_parameters().Count() + first.named_buffers().Count(named => state.ContainsKey(named.name)), state.Count);
        foreach (var key in state.Keys)
        {
            Xunit.Assert.Matches("^[A-Za-z0-9_.]+$", key); // a compiler-made name would not survive a rename
        }
        second.load_state_dict(state);
        var input = check.Input(3);
        TensorAssert.Equal(check.Forward(first, input), check.Forward(second, input), "output after loading the state of another layer");
    }

    private static void MovesBetweenTypes<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = check.Create();
        layer.eval();
        var input = check.Input(3);
        var expected = check.Forward(layer, input);
        if (!expected.is_floating_point())
        {
            return;
        }
        layer.to(ScalarType.Float64);
        var wide = check.Forward(layer, Cast(input, ScalarType.Float64));
        Xunit.Assert.Equal(ScalarType.Float64, wide.dtype);
        TensorAssert.Close(wide, expected.to(ScalarType.Float64), check.PrecisionTolerance, check.PrecisionTolerance, "float32 output against float64");
        layer.to(ScalarType.Float32);
        TensorAssert.Equal(expected, check.Forward(layer, input), "output after float32 -> float64 -> float32");
        layer.to(ScalarType.BFloat16);
        var narrow = check.Forward(layer, Cast(input, ScalarType.BFloat16));
        Xunit.Assert.Equal(ScalarType.BFloat16, narrow.dtype);
        TensorAssert.HasShape(expected.shape, narrow);
    }

    private static void WorksUnderAutocast<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        if (!Autocast.IsAvailable)
        {
            return;
        }
        using var scope = NewDisposeScope();
        using var layer = check.Create();
        layer.eval();
        var input = check.Input(Math.Max(3, check.SmallestTrainingBatch));
        var expected = check.Forward(layer, input);
        if (!expected.is_floating_point())
        {
            return;
        }
        foreach (var training in (bool[])[false, true])
        {
            layer.train(training);
            Tensor output;
            using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
            {
                output = check.Forward(layer, input);
            }
            if (!training)
            {
                // bfloat16 keeps 8 bits, 2^-8 = 0.004, over a few products in a row.
                TensorAssert.Close(expected.to(ScalarType.Float32), output.to(ScalarType.Float32), 0.05, 0.05, "output under bfloat16 autocast");
            }
            TensorAssert.HasShape(expected.shape, output);
            if (output.requires_grad)
            {
                output.to(ScalarType.Float32).sum().backward();
            }
        }
        foreach (var (name, parameter) in layer.named_parameters())
        {
            Xunit.Assert.Equal(ScalarType.Float32, parameter.dtype);
            if (parameter.grad is { } gradient)
            {
                Xunit.Assert.Equal(ScalarType.Float32, gradient.dtype);
                TensorAssert.Finite(gradient, $"gradient of {name} under bfloat16 autocast");
            }
        }
    }

    private static void EvaluationIsRepeatable<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = check.Create();
        layer.eval();
        var input = check.Input(3);
        TensorAssert.Equal(check.Forward(layer, input), check.Forward(layer, input), "second evaluation");
    }

    private static void LeavesArgumentsAlone<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        using var scope = NewDisposeScope();
        using var layer = check.Create();
        foreach (var training in (bool[])[false, true])
        {
            layer.train(training);
            var input = check.Input(3);
            var copy = input.clone();
            var output = check.Forward(layer, input);
            Xunit.Assert.False(ReferenceEquals(output, input), "The layer handed its argument back; return x.alias() instead.");
            output.Dispose();
            Xunit.Assert.False(input.IsInvalid, "The layer disposed its argument.");
            TensorAssert.Equal(copy, input, "the argument after forward");
        }
    }

    private static void PartsOutliveTheScopeAroundConstruction<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        TModule layer;
        using (NewDisposeScope())
        {
            layer = check.Create();
        }
        using (layer)
        using (NewDisposeScope())
        {
            foreach (var (name, part) in layer.named_parameters().Select(named => (named.name, (Tensor)named.parameter)).Concat(layer.named_buffers().Select(named => (named.name, named.buffer))))
            {
                Xunit.Assert.False(part.IsInvalid, $"{name} was freed by a scope around the construction: make it with AsOwnedParameter or AsOwnedBuffer.");
            }
            layer.eval();
            check.Forward(layer, check.Input(2));
        }
    }

    private static void LeaksNothing<TModule>(LayerCheck<TModule> check)
        where TModule : torch.nn.Module
    {
        var layer = check.Create();
        foreach (var training in (bool[])[false, true])
        {
            layer.train(training);
            for (var round = 0; round < 2; round++) // the first round may fill a cache that the layer owns
            {
                using var input = check.Input(3);
                var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
                check.Forward(layer, input).Dispose();
                var leaked = DisposeScopeManager.Statistics.ThreadTotalLiveCount - before;
                Xunit.Assert.True(round == 0 || leaked <= 0, $"forward ({(training ? "training" : "evaluation")}) leaks {leaked} tensors.");
            }
        }
        layer.Dispose();
    }

    private static Tensor Cast(Tensor input, ScalarType type) => input.is_floating_point() ? input.to(type) : input.alias();
}

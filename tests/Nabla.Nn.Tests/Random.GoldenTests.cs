using static TorchSharp.torch.nn;

namespace Nabla.Nn.Tests;

/// <summary>Moments and bounds of initialisers, default weights and dropout against the stated distributions, within 5 standard errors.</summary>
public sealed class RandomGoldenTests
{
    private const double StandardErrors = 5; // the golden README's z

    public static IEnumerable<TheoryDataRow<GoldenCase>> Cases => Golden.Rows("training/layers").Where(row => row.Data.File == "random");

    [Theory, MemberData(nameof(Cases), DisableDiscoveryEnumeration = true)]
    public void Randomness_Any_HasStatedDistribution(GoldenCase golden)
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(3);
        if (golden.Text("initialiser") is { } initialiser)
        {
            CheckInitialiser(golden, initialiser);
        }
        else if (golden.Text("module") is { } module)
        {
            CheckDefaults(golden, module);
        }
        else
        {
            CheckDropout(golden, golden.Text("kind")!);
        }
    }

    private static void CheckInitialiser(GoldenCase golden, string initialiser)
    {
        using var generator = new Generator(7);
        var options = OptionsOf(golden, initialiser);
        var shape = golden.Json.Integers("shape")!;
        if (golden.Json.Get("property") is not null)
        {
            CheckOrthogonal(options, shape, golden.Json.Number("gain", 1), generator);
            return;
        }
        var tensor = torch.empty(shape);
        List<double> drawn = [];
        while (drawn.Count < 40_000)
        {
            Initializers.Fill(tensor, options, generator);
            drawn.AddRange(TensorAssert.Doubles(tensor));
        }
        var expected = golden.Json.GetProperty("expected");
        CheckMoments(drawn, expected.Number("mean", 0), expected.Number("std", 0));
        if (expected.Get("bounds") is { } bounds)
        {
            Assert.InRange(drawn.Min(), bounds[0].GetDouble() - 1e-6, bounds[1].GetDouble());
            Assert.InRange(drawn.Max(), bounds[0].GetDouble(), bounds[1].GetDouble() + 1e-6);
        }
    }

    private static InitializerOptions OptionsOf(GoldenCase golden, string initialiser) => new()
    {
        Name = initialiser.TrimEnd('_').Replace('_', '-').Replace("trunc-", "truncated-", StringComparison.Ordinal),
        Gain = golden.Json.Number("gain", golden.Options.Number("gain", 1)),
        UseFanOut = golden.Options.Text("mode", "fan_in") == "fan_out",
        Nonlinearity = golden.Options.Text("nonlinearity", "leaky_relu").Replace('_', '-'),
        NegativeSlope = initialiser.StartsWith("kaiming", StringComparison.Ordinal) ? golden.Options.Number("a", 0) : 0,
        Mean = golden.Options.Number("mean", 0),
        StandardDeviation = golden.Options.Number("std", 1),
        Low = golden.Options.Number("a", -2),
        High = Math.Max(golden.Options.Number("a", -2), golden.Options.Number("b", 2)),
    };

    private static void CheckOrthogonal(InitializerOptions options, long[] shape, double gain, Generator generator)
    {
        var tensor = torch.empty(shape, ScalarType.Float64);
        Initializers.Fill(tensor, options, generator);
        var flat = tensor.reshape(shape[0], -1);
        flat = flat.shape[0] > flat.shape[1] ? flat.t() : flat;
        TensorAssert.Close(torch.eye(flat.shape[0], dtype: ScalarType.Float64) * gain * gain, SafeOps.MatMul(flat, flat.t()), 1e-12, 1e-12);
    }

    private static void CheckMoments(List<double> drawn, double mean, double deviation)
    {
        var actualMean = drawn.Average();
        var variance = drawn.Average(value => (value - actualMean) * (value - actualMean));
        Assert.InRange(actualMean, mean - (StandardErrors * deviation / Math.Sqrt(drawn.Count)), mean + (StandardErrors * deviation / Math.Sqrt(drawn.Count)));
        // The variance of a sample variance is (kurtosis - 1) sigma^4 / n; no distribution here has a kurtosis above the normal's 3.
        Assert.InRange(variance, (deviation * deviation) * (1 - (StandardErrors * Math.Sqrt(2.0 / drawn.Count))), (deviation * deviation) * (1 + (StandardErrors * Math.Sqrt(2.0 / drawn.Count))));
    }

    private static void CheckDefaults(GoldenCase golden, string kind)
    {
        var o = golden.Options;
        nn.Module? module = kind switch
        {
            "Linear" => Linear(o.Integer("in_features", 1), o.Integer("out_features", 1)),
            "Conv2d" => new ConvolutionLayer(new() { InputChannels = (int)o.Integer("in_channels", 1), OutputChannels = (int)o.Integer("out_channels", 1), KernelSize = [(int)o.Integer("kernel_size", 1)], Groups = (int)o.Integer("groups", 1) }),
            "ConvTranspose2d" => new TransposedConvolutionLayer(new() { InputChannels = (int)o.Integer("in_channels", 1), OutputChannels = (int)o.Integer("out_channels", 1), KernelSize = [(int)o.Integer("kernel_size", 1)] }),
            "MultiheadAttention" => new CrossAttention(new() { Features = (int)o.Integer("embed_dim", 1), Heads = (int)o.Integer("num_heads", 1) }),
            "LSTM" or "GRU" => new Recurrent(new() { Cell = kind == "LSTM" ? "lstm" : "gru", InputFeatures = (int)o.Integer("input_size", 1), HiddenFeatures = (int)o.Integer("hidden_size", 1) }),
            "Embedding" => new EmbeddingTable(o.Integer("num_embeddings", 1), o.Integer("embedding_dim", 1)),
            "LayerNorm" => LayerNorm(o.Integer("normalized_shape", 1)),
            "Bilinear" => Bilinear(o.Integer("in1_features", 1), o.Integer("in2_features", 1), o.Integer("out_features", 1)),
            "PReLU" => PReLU(1),
            _ => null,
        };
        Assert.SkipUnless(module is not null, $"default weights of '{kind}' are not offered");
        CheckState(golden, module!);
        if (kind == "MultiheadAttention")
        {
            CheckState(golden, new MultiHeadAttention(new() { Features = (int)o.Integer("embed_dim", 1), Heads = (int)o.Integer("num_heads", 1) }),
                name => name.Replace("in_proj_", "qkv.", StringComparison.Ordinal).Replace("out_proj", "output", StringComparison.Ordinal));
        }
    }

    private static void CheckState(GoldenCase golden, nn.Module module, Func<string, string>? ownName = null)
    {
        using (module)
        {
            var state = module.state_dict();
            foreach (var expected in golden.Json.GetProperty("parameters").EnumerateObject())
            {
                var values = TensorAssert.Doubles(state[ownName?.Invoke(expected.Name) ?? expected.Name]);
                if (expected.Value.Get("constant") is { } constant)
                {
                    Assert.All(values, value => Assert.Equal(constant.GetDouble(), value, 6));
                }
                else if (expected.Value.Get("uniform") is { } bound)
                {
                    Assert.All(values, value => Assert.InRange(Math.Abs(value), 0, bound.GetDouble() + 1e-6));
                    // The largest of n uniform draws is above the bound times 0.01^(1/n) in 99 of 100 cases, and the seed is fixed.
                    Assert.True(values.Max(Math.Abs) > bound.GetDouble() * Math.Pow(0.001, 1.0 / values.Length), $"{expected.Name}: the spread is too small.");
                }
                else
                {
                    var deviation = expected.Value.Number("normal", 1);
                    Assert.InRange(values.Average(), -StandardErrors * deviation / Math.Sqrt(values.Length), StandardErrors * deviation / Math.Sqrt(values.Length));
                }
            }
        }
    }

    private static void CheckDropout(GoldenCase golden, string kind)
    {
        Assert.SkipUnless(kind is "dropout" or "drop-path" or "dropout2d" or "alpha-dropout", $"'{kind}' is not implemented");
        var p = golden.Json.Number("p", 0);
        if (kind == "dropout2d")
        {
            CheckChannelDropout(p);
            return;
        }
        if (kind == "alpha-dropout")
        {
            CheckAlphaDropout(golden, p);
            return;
        }
        if (kind == "drop-path" && golden.Json.Get("rates_of_5_blocks") is { } rates)
        {
            Assert.All(rates.EnumerateArray().Select((rate, block) => (rate.GetDouble(), block)), pair => Assert.Equal(pair.Item1, StochasticDepth.ProbabilityOf(p, pair.block, 5), 12));
        }
        if (kind == "drop-path")
        {
            using var depth = new StochasticDepth(p);
            var output = depth.call(torch.ones(100_000, 2));
            TensorAssert.Equal(output.select(1, 0), output.select(1, 1), "all entries of an example are kept or dropped together");
            CheckKept(golden, TensorAssert.Doubles(output.select(1, 0)));
            return;
        }
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16])
        {
            var x = torch.ones(100_000, dtype: type).requires_grad_();
            var output = FastDropout.Apply(x, p);
            output.sum().backward();
            TensorAssert.Equal(output.detach(), x.grad!, "the gradient has the mask and scale of the output");
            CheckKept(golden, TensorAssert.Doubles(output), type == ScalarType.BFloat16 ? 4e-3 : 1e-6); // bfloat16 keeps 8 bits of the scale
        }
        TensorAssert.Equal(torch.ones(3), FastDropout.Apply(torch.ones(3), p, isTraining: false), "evaluation");
    }

    private static void CheckChannelDropout(double p)
    {
        using var layer = new ChannelDropoutLayer(p);
        var output = layer.call(torch.ones(500, 200, 3, 2));
        var kept = output.select(3, 0).select(2, 0); // [batch, channels]
        TensorAssert.Equal(kept.view(500, 200, 1, 1).expand(500, 200, 3, 2), output, "a channel is kept or dropped as a whole");
        CheckShare(TensorAssert.Doubles(kept), 1 - p, 1 / (1 - p));
        layer.eval();
        TensorAssert.Equal(torch.ones(2, 3, 4), layer.call(torch.ones(2, 3, 4)), "evaluation");
    }

    private static void CheckAlphaDropout(GoldenCase golden, double p)
    {
        using var layer = new AlphaDropoutLayer(p);
        var (scale, shift, lowest) = (golden.Json.Number("a", 0), golden.Json.Number("b", 0), golden.Json.Number("alpha", 0));
        Assert.Equal(scale, layer.Scale, 1e-12);
        Assert.Equal(shift, layer.Shift, 1e-12);
        var x = torch.randn(100_000, dtype: ScalarType.Float64).requires_grad_();
        var output = layer.call(x);
        output.sum().backward();
        double[] inputs = TensorAssert.Doubles(x), outputs = TensorAssert.Doubles(output), gradients = TensorAssert.Doubles(x.grad!);
        for (var i = 0; i < inputs.Length; i++)
        {
            var isKept = gradients[i] != 0;
            Assert.Equal((scale * (isKept ? inputs[i] : lowest)) + shift, outputs[i], 1e-12);
            Assert.Equal(isKept ? scale : 0, gradients[i], 1e-12);
        }
        CheckShare(gradients, 1 - p, scale);
        CheckMean(outputs, 0, 1);
    }

    private static void CheckMean(double[] values, double mean, double deviation)
        => Assert.InRange(values.Average(), mean - (StandardErrors * deviation / Math.Sqrt(values.Length)), mean + (StandardErrors * deviation / Math.Sqrt(values.Length)));

    private static void CheckShare(double[] values, double share, double keptValue)
    {
        var kept = values.Where(value => value != 0).ToList();
        var error = StandardErrors * Math.Sqrt(share * (1 - share) / values.Length);
        Assert.InRange((double)kept.Count / values.Length, share - error, share + error);
        Assert.All(kept, value => Assert.Equal(1, value / keptValue, 1e-6));
    }

    private static void CheckKept(GoldenCase golden, double[] values, double tolerance = 1e-6)
    {
        var kept = values.Where(value => value != 0).ToList();
        var share = golden.Json.Number("kept_share", 0);
        var error = StandardErrors * Math.Sqrt(share * (1 - share) / values.Length);
        Assert.InRange((double)kept.Count / values.Length, share - error, share + error);
        Assert.All(kept, value => Assert.Equal(1, value / golden.Json.Number("kept_value", 1), tolerance));
    }
}

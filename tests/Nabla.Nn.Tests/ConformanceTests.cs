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
    [InlineData("batch-norm", "relu", 1, 1)]
    [InlineData("group-norm", "silu", 2, 2)]
    [InlineData("none", "identity", 1, 1)]
    public void ConvolutionBlock1d_Any_Conforms(string normalization, string activation, int stride, int groups)
        => LayerConformance.Check(
            () => new ConvolutionBlock1d(new() { InputChannels = 4, OutputChannels = 6, Stride = stride, Groups = groups, Normalization = normalization, NormalizationGroups = 2, Activation = activation }),
            batch => Random(batch, 4, 7),
            batch => [batch, 6, ConvolutionShape.Output(7, 3, stride, 1)]);

    [Theory]
    [InlineData("batch-norm", "relu", 1, 1)]
    [InlineData("layer-norm", "gelu", 2, 2)]
    [InlineData("none", "identity", 1, 1)]
    public void ConvolutionBlock2d_Any_Conforms(string normalization, string activation, int stride, int groups)
        => LayerConformance.Check(
            () => new ConvolutionBlock2d(new() { InputChannels = 4, OutputChannels = 6, Stride = stride, Groups = groups, Normalization = normalization, Activation = activation }),
            batch => Random(batch, 4, 7, 5),
            batch => [batch, 6, ConvolutionShape.Output(7, 3, stride, 1), ConvolutionShape.Output(5, 3, stride, 1)]);

    public static TheoryData<string> PoolNames => [.. PoolingOptions.Names];

    [Theory, MemberData(nameof(PoolNames))]
    public void Pool_Any_Conforms(string name)
    {
        var isGlobal = name.StartsWith("global", StringComparison.Ordinal);
        var size = name.StartsWith("adaptive", StringComparison.Ordinal) ? 3 : 0;
        PoolingOptions options = new() { Name = name, OutputSize = 3 };
        LayerConformance.Check(() => new Pool1d(options), batch => Random(batch, 4, 7), batch => isGlobal ? [batch, 4] : [batch, 4, size > 0 ? size : 3]);
        LayerConformance.Check(() => new Pool2d(options), batch => Random(batch, 4, 7, 5), batch => isGlobal ? [batch, 4] : [batch, 4, size > 0 ? size : 3, size > 0 ? size : 2]);
    }

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

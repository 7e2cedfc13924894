using CsCheck;

namespace Nabla.Nn.Tests;

/// <summary>Closed forms of layers, and their answers to input that does not fit.</summary>
public sealed class LayersTests
{
    [Fact]
    public void BatchNormalization_BatchOfOneWhileTraining_ThrowsPlainly()
    {
        using var scope = NewDisposeScope();
        using var layer = new BatchNormalization(new() { Channels = 3 });
        var error = Assert.Throws<TrainingException>(() => layer.call(torch.zeros(1, 3)));
        Assert.Equal("BatchNormalization.forward: expected more than one value for each channel while training, got [1, 3]. Use a batch size of at least 2 and drop_last, or group or layer normalisation.", error.Message);
        Assert.Throws<TrainingException>(() => layer.call(torch.zeros(0, 3)));
        TensorAssert.HasShape([1, 3, 2], layer.call(torch.zeros(1, 3, 2))); // two values a channel
        layer.eval();
        TensorAssert.HasShape([1, 3], layer.call(torch.zeros(1, 3)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 4)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(3)));
    }

    [Fact]
    public void ConvolutionBlock_InputThatDoesNotFit_SaysWhatWasExpected()
    {
        using var scope = NewDisposeScope();
        using var block = new ConvolutionBlock(new() { InputChannels = 3, OutputChannels = 4, KernelSize = 5, Padding = 0 });
        var error = Assert.Throws<ShapeException>(() => block.call(torch.zeros(2, 3, 4, 9)));
        Assert.StartsWith("ConvolutionLayer.forward: expected [batch, channels=3, height, width], got [2, 3, 4, 9]. The kernel [5, 5]", error.Message, StringComparison.Ordinal);
        Assert.Throws<ShapeException>(() => block.call(torch.zeros(2, 1, 9, 9)));
        Assert.Throws<ShapeException>(() => block.call(torch.zeros(3, 9, 9)));
    }

    [Fact]
    public void Pool_WindowThatDoesNotFit_Throws()
    {
        using var scope = NewDisposeScope();
        using var pool = new PoolLayer(new() { KernelSize = [3] });
        Assert.Throws<ShapeException>(() => pool.call(torch.zeros(1, 2, 2, 8)));
        using var sequences = new PoolLayer(new() { Axes = 1, Name = "global-average" });
        Assert.Throws<ShapeException>(() => sequences.call(torch.zeros(1, 2, 0)));
    }

    [Fact]
    public void ConvolutionShape_Output_IsThatOfTheConvolution() => Gen.Select(Gen.Int[1, 12], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, 2], Gen.Int[1, 3]).Sample((input, kernel, stride, padding, dilation) =>
    {
        using var scope = NewDisposeScope();
        var size = ConvolutionShape.Output(input, kernel, stride, padding, dilation);
        if (size >= 1)
        {
            Assert.Equal(size, nn.functional.conv1d(torch.zeros(1, 1, input), torch.zeros(1, 1, kernel), null!, stride, padding, dilation).shape[2]);
        }
        else
        {
            Assert.ThrowsAny<Exception>(() => nn.functional.conv1d(torch.zeros(1, 1, input), torch.zeros(1, 1, kernel), null!, stride, padding, dilation));
        }
    }, iter: 200, threads: 1);

    [Fact]
    public void EmbeddingTable_IdOutOfRange_NamesIt()
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingTable(5, 2, paddingId: 0);
        Assert.Contains("token id 5 at [0, 1] is out of range: there are 5 token ids, 0 to 4", Assert.Throws<DataException>(() => table.call(torch.tensor(new long[,] { { 0, 5 } }))).Message, StringComparison.Ordinal);
        Assert.Throws<DataException>(() => table.call(torch.zeros(2)));
        Assert.Equal(0, table.call(torch.zeros(1, ScalarType.Int64)).abs().sum().ToDouble());
        TensorAssert.HasShape([0, 2], table.call(torch.zeros(0, ScalarType.Int64)));
    }

    [Fact]
    public void TokenEmbedding_LongerThanPositions_Throws()
    {
        using var scope = NewDisposeScope();
        using var layer = new TokenEmbedding(new() { VocabularySize = 5, Features = 4, MaxTime = 3 });
        Assert.Contains("MaxTime", Assert.Throws<ShapeException>(() => layer.call(torch.zeros(1, 4, dtype: ScalarType.Int64))).Message, StringComparison.Ordinal);
        TensorAssert.Equal(layer.call(torch.ones(1, 3, dtype: ScalarType.Int64)).narrow(1, 2, 1), layer.Embed(torch.ones(1, 1, dtype: ScalarType.Int64), 2));
        Assert.Throws<ShapeException>(() => layer.Embed(torch.ones(1, 1, dtype: ScalarType.Int64), 3));
    }

    [Fact]
    public void EmbeddingTable_Score_UsesTheTable()
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingTable(5, 3);
        var x = torch.randn(2, 3);
        TensorAssert.Close(SafeOps.MatMul(x, table.Weight.t()), table.Score(x), 1e-6, 1e-6);
    }

    [Fact]
    public void SequencePooling_MorePadding_ChangesNothing() => Gen.Select(Gen.OneOf(Gen.Const("mean"), Gen.Const("max"), Gen.Const("first"), Gen.Const("last")), Gen.Int[1, 4], Gen.Int[0, 1000]).Sample((name, length, seed) =>
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(seed);
        var x = torch.randn(2, length, 3);
        var padded = torch.cat([x, torch.randn(2, 3, 3) + 10], 1);
        var mask = torch.arange(length + 3).lt(length).unsqueeze(0).expand(2, -1);
        TensorAssert.Close(SequencePooling.Pool(name, x), SequencePooling.Pool(name, padded, mask), 1e-6, 1e-6);
    }, iter: 60, threads: 1);

    [Theory]
    [InlineData("mean")]
    [InlineData("max")]
    [InlineData("last")]
    public void SequencePooling_NothingReal_GivesZeros(string name)
    {
        using var scope = NewDisposeScope();
        TensorAssert.Equal(torch.zeros(1, 3), SequencePooling.Pool(name, torch.ones(1, 2, 3), torch.zeros(1, 2, dtype: ScalarType.Bool)));
    }

    [Fact]
    public void MultiHeadAttention_WrongShapes_Throws()
    {
        using var scope = NewDisposeScope();
        using var layer = new MultiHeadAttention(new() { Features = 8, Heads = 2 });
        var error = Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 5, 6)));
        Assert.Equal("MultiHeadAttention.forward: expected [batch, time, features=8], got [2, 5, 6]. Project the input to 8 features, or set AttentionOptions.Features to match it. (Parameter 'x')", error.Message);
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(5, 8)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 5, 8), torch.ones(2, 4, dtype: ScalarType.Bool)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 5, 8), torch.ones(2, 3, 5, 5, dtype: ScalarType.Bool)));
    }

    [Fact]
    public void Options_WrongValues_ReportEveryProblem()
    {
        Assert.Equal(3, Assert.Throws<OptionsException>(() => new AttentionOptions { Features = 10, Heads = 4, KeyValueHeads = 3, Dropout = 1 }.Validate()).Problems.Count);
        Assert.Equal(3, Assert.Throws<OptionsException>(() => new ConvolutionOptions { InputChannels = 0, OutputChannels = 4, KernelSize = 0, Activation = "rleu" }.Validate()).Problems.Count);
        Assert.Contains("Did you mean 'gru'?", Assert.Throws<OptionsException>(() => new Recurrent(new() { Cell = "gur", InputFeatures = 1, HiddenFeatures = 1 })).Message, StringComparison.Ordinal);
        Assert.Contains("Did you mean 'relu'?", Assert.Throws<ArgumentException>(() => ActivationFunctions.Create("rleu")).Message, StringComparison.Ordinal);
        Assert.Throws<OptionsException>(() => new TransformerBlock(new() { Features = 6, Heads = 4 }));
        Assert.Throws<OptionsException>(() => new FeedForwardBlock(new() { Features = 6, Activation = "none" }));
        Assert.Throws<OptionsException>(() => new TokenEmbedding(new() { VocabularySize = 3, Features = 2, PaddingId = 3 }));
        Assert.Throws<OptionsException>(() => new RotaryEmbedding(new() { HeadSize = 3 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DropoutLayer(1));
    }

    [Fact]
    public void Initializers_Apply_IsFixedBySeedAndIndependentOfOtherLayers()
    {
        using var scope = NewDisposeScope();
        using nn.Module one = nn.Sequential(("first", nn.Linear(4, 3)), ("norm", nn.LayerNorm(3)));
        using nn.Module two = nn.Sequential(("other", nn.Linear(5, 4)), ("first", nn.Linear(4, 3)), ("norm", nn.LayerNorm(3)));
        InitializerOptions options = new() { Name = "kaiming-normal" };
        Initializers.Apply(one, options, seed: 1);
        Initializers.Apply(two, options, seed: 1);
        var (a, b) = (one.state_dict(), two.state_dict());
        TensorAssert.Equal(a["first.weight"], b["first.weight"]);
        TensorAssert.Equal(torch.zeros(3), a["first.bias"]);
        TensorAssert.Equal(torch.ones(3), a["norm.weight"]);
        var before = a["first.weight"].clone();
        Initializers.Apply(one, options, seed: 2);
        Assert.NotEqual(0, before.sub(one.state_dict()["first.weight"]).abs().sum().ToDouble());
        Assert.Throws<ShapeException>(() => Initializers.Fill(torch.zeros(3), options));
    }
}

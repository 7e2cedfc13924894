using CsCheck;

namespace Nabla.Nn.Tests;

/// <summary>Convolutions, pools, padding and resampling: identities that hold for all sizes, and inputs that do not fit.</summary>
public sealed class ConvolutionTests
{
    [Fact]
    public void TransposedConvolution_IsTheAdjointOfTheConvolution() => Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[1, 3], Gen.Int[0, 1], Gen.Int[1, 2], Gen.Int[0, 1000]).Sample((axes, kernel, stride, padding, dilation, seed) =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        torch.manual_seed(seed);
        long[] field = [.. Enumerable.Range(0, axes).Select(axis => 6L + axis)];
        using var forward = new ConvolutionLayer(new() { Axes = axes, InputChannels = 2, OutputChannels = 3, KernelSize = [kernel], Stride = [stride], Padding = [padding], Dilation = [dilation], UseBias = false });
        forward.to(ScalarType.Float64);
        var x = torch.randn([2, 2, .. field], ScalarType.Float64);
        var y = torch.randn_like(forward.call(x));
        // Output padding is what the stride left over at the end.
        int[] left = [.. field.Select(size => (int)((size + (2 * padding) - (dilation * (kernel - 1)) - 1) % stride))];
        using var back = new TransposedConvolutionLayer(new() { Axes = axes, InputChannels = 3, OutputChannels = 2, KernelSize = [kernel], Stride = [stride], Padding = [padding], Dilation = [dilation], OutputPadding = left, UseBias = false });
        back.to(ScalarType.Float64);
        back.parameters().Single().copy_(forward.parameters().Single());

        TensorAssert.Close((forward.call(x) * y).sum(), (x * back.call(y)).sum(), 1e-9, 1e-9);
    }, iter: 40, threads: 1);

    [Fact]
    public void Convolution_KeepingTheSize_GivesAsManyEntriesForEveryKernel() => Gen.Select(Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[0, 3].Select(i => new[] { "zeros", "reflect", "replicate", "circular" }[i])).Sample((kernel, dilation, mode) =>
    {
        using var scope = NewDisposeScope();
        using var layer = new ConvolutionLayer(new() { Axes = 1, InputChannels = 1, OutputChannels = 1, KernelSize = [kernel], Dilation = [dilation], Padding = null, PaddingMode = mode });
        TensorAssert.HasShape([1, 1, 20], layer.call(torch.randn(1, 1, 20)));
    }, iter: 40, threads: 1);

    [Fact]
    public void Layers_InputsThatDoNotFit_SayWhatWasExpected()
    {
        using var scope = NewDisposeScope();
        using var reflecting = new ConvolutionLayer(new() { Axes = 1, InputChannels = 1, OutputChannels = 1, KernelSize = [9], Padding = [4], PaddingMode = "reflect" });
        Assert.Throws<ShapeException>(() => reflecting.call(torch.zeros(1, 1, 4)));
        using var transposed = new TransposedConvolutionLayer(new() { Axes = 1, InputChannels = 1, OutputChannels = 1, KernelSize = [1], Stride = [1], Padding = [1] });
        Assert.Throws<ShapeException>(() => transposed.call(torch.zeros(1, 1, 2)));
        using var pool = new PoolLayer(new() { Axes = 3, Name = "adaptive-max" });
        Assert.Throws<ShapeException>(() => pool.call(torch.zeros(1, 2, 3, 3)));
        using var padding = new PaddingLayer(new() { Sizes = [3, 0], Mode = "reflect" });
        Assert.Throws<ShapeException>(() => padding.call(torch.zeros(1, 1, 3)));
        using var cutting = new PaddingLayer(new() { Sizes = [-2, -2] });
        Assert.Throws<ShapeException>(() => cutting.call(torch.zeros(1, 1, 4)));
        using var smaller = new ResampleLayer(new() { Axes = 1, Factor = [0.1], Mode = "nearest" });
        Assert.Throws<ShapeException>(() => smaller.call(torch.zeros(1, 1, 4)));
        Assert.Throws<ShapeException>(() => Rearrangements.PixelShuffle(torch.zeros(1, 3, 2, 2), 2));
        Assert.Throws<ShapeException>(() => Rearrangements.PixelUnshuffle(torch.zeros(1, 3, 3, 2), 2));
        Assert.Throws<ShapeException>(() => Rearrangements.ChannelShuffle(torch.zeros(1, 3, 2), 2));
        Assert.Throws<ShapeException>(() => Rearrangements.Unfold(torch.zeros(1, 3, 2, 2), (3, 3)));
        Assert.Throws<ShapeException>(() => Rearrangements.Fold(torch.zeros(1, 4, 3), (2, 2), (2, 2)));
    }

    [Fact]
    public void Options_WithWrongNumbers_AreRefusedTogether()
    {
        var error = Assert.Throws<OptionsException>(() => new ConvolutionLayerOptions { Axes = 2, InputChannels = 3, OutputChannels = 4, KernelSize = [3, 3, 3], Stride = [0], PaddingMode = "mirror", Groups = 2 }.Validate());
        Assert.Equal(4, error.Problems.Count);
        Assert.Throws<OptionsException>(() => new ConvolutionLayerOptions { InputChannels = 1, OutputChannels = 1, Stride = [2], Padding = null }.Validate());
        Assert.Throws<OptionsException>(() => new TransposedConvolutionOptions { InputChannels = 1, OutputChannels = 1, Stride = [2], OutputPadding = [2] }.Validate());
        Assert.Throws<OptionsException>(() => new PoolingOptions { KernelSize = [2], Padding = [2] }.Validate());
        Assert.Throws<OptionsException>(() => new PoolingOptions { Name = "power", Axes = 3 }.Validate());
        Assert.Throws<OptionsException>(() => new ResampleOptions { Size = [2], Factor = [2] }.Validate());
        Assert.Throws<OptionsException>(() => new ResampleOptions().Validate());
        Assert.Throws<OptionsException>(() => new PaddingOptions { Sizes = [-1, 1], Mode = "reflect" }.Validate());
    }

    [Fact]
    public void PixelUnshuffle_AfterPixelShuffle_IsTheIdentity()
    {
        using var scope = NewDisposeScope();
        var x = torch.randn(2, 8, 3, 5);
        TensorAssert.Equal(x, Rearrangements.PixelUnshuffle(Rearrangements.PixelShuffle(x, 2), 2));
        TensorAssert.Equal(x, Rearrangements.ChannelShuffle(Rearrangements.ChannelShuffle(x, 2), 4));
    }

    [Fact]
    public void Resample_Antialiased_KeepsConstantsAndMeansOfHalvedPictures()
    {
        using var scope = NewDisposeScope();
        foreach (var mode in (string[])["linear", "cubic"])
        {
            using var layer = new ResampleLayer(new() { Factor = [0.5], Mode = mode, UseAntialiasing = true });
            TensorAssert.Close(torch.full(1, 1, 4, 4, 3.0f), layer.call(torch.full(1, 1, 8, 8, 3.0f)));
        }
        // Halving with a triangle of width 4: weights 1, 3, 3, 1 over 8 inside.
        using var halving = new ResampleLayer(new() { Size = [1, 3], Mode = "linear", UseAntialiasing = true });
        var line = torch.tensor(new float[] { 0, 0, 8, 0, 0, 0 }).view(1, 1, 1, 6);
        Assert.Equal(3, halving.call(line)[0, 0, 0, 1].ToSingle(), 1e-5);
    }
}

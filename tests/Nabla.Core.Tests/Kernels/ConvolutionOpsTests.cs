using CsCheck;
using Nabla.Core.Kernels;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Convolutions with their own weight gradient against libtorch's.</summary>
[LeaksNoTensors]
public sealed class ConvolutionOpsTests
{
    private static readonly Gen<Case> AnyCase = Gen.Select(
        Gen.Int[1, 5], Gen.Int[32, 140], Gen.Int[32, 140], Gen.Select(Gen.Int[1, 13], Gen.Int[1, 13]),
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 5]), Gen.Select(Gen.Int[1, 3], Gen.Int[1, 3]), Gen.Select(Gen.Int[0, 3], Gen.Int[0, 3]))
        .Select((batch, inputs, outputs, size, kernel, stride, padding)
            => new Case(batch, inputs, outputs, [size.Item1, size.Item2], [kernel.Item1, kernel.Item2], [stride.Item1, stride.Item2], [padding.Item1, padding.Item2]))
        .Where(drawn => drawn.Kernel.Zip(drawn.Size, drawn.Padding).All(axis => axis.First <= axis.Second + (2 * axis.Third)) && (drawn.Kernel.Any(size => size > 1) || drawn.Stride.Any(step => step > 1)));

    /// <summary>On small whole numbers all products and sums are exact, so nothing but equality will do.</summary>
    [Fact]
    public void WeightGradient_OfWholeNumbers_IsExact()
    {
        RequireTiles();
        AnyCase.Sample(drawn =>
        {
            using var scope = NewDisposeScope();
            var (expected, _) = Gradients(drawn, isFused: false, 2);
            var (actual, _) = Gradients(drawn, isFused: true, 2);
            Assert.Equal(expected[0].shape, actual[0].shape);
            Assert.Equal(expected[0].data<float>().ToArray(), actual[0].data<float>().ToArray());
            Assert.Equal(expected[1].data<float>().ToArray(), actual[1].data<float>().ToArray());
        }, iter: 60, threads: 1);
    }

    [Theory]
    [InlineData(128, 32, 64, 14, 3, 1, 1)]
    [InlineData(32, 64, 128, 16, 3, 2, 1)]
    [InlineData(4, 96, 64, 23, 5, 1, 2)]
    [InlineData(8, 512, 512, 4, 3, 1, 1)]
    public void OutputAndGradients_OfRealSizes_FollowFloat32(int batch, int inputs, int outputs, int size, int kernel, int stride, int padding)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        Case drawn = new(batch, inputs, outputs, [size, size], [kernel, kernel], [stride, stride], [padding, padding]);
        var (expected, y) = Gradients(drawn, isFused: false, null);
        var (actual, z) = Gradients(drawn, isFused: true, null);
        foreach (var (e, a) in expected.Append(y).Zip(actual.Append(z)))
        {
            Assert.Equal(e.shape, a.shape);
            Assert.InRange(((e - a.to_type(ScalarType.Float32)).norm() / e.norm()).item<float>(), 0, 0.01f); // bfloat16 has 8 bits
        }
    }

    [Fact]
    public void Gradients_WithOneThreadOrMore_AreTheSameBits()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        ThreadCounts.AssertSameBits(() => Gradients(new(64, 48, 80, [9, 7], [3, 3], [1, 1], [1, 1]), isFused: true, null).Gradients[0].data<float>().ToArray());
    }

    [Fact]
    public void Run_WhereTheKernelDoesNotFit_IsLibtorchs()
    {
        using var scope = NewDisposeScope();
        using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        foreach (var (x, weight, dilation, groups) in new[]
        {
            (randn(2, 3, 8, 8), randn(16, 3, 3, 3), 1L, 1L),
            (randn(2, 32, 8, 8), randn(32, 16, 3, 3), 1L, 2L),
            (randn(2, 32, 8, 8), randn(32, 32, 3, 3), 2L, 1L),
            (randn(2, 32, 8, 8), randn(32, 32, 1, 1), 0L, 1L),
            (randn(32, 8, 8), randn(32, 32, 3, 3), 1L, 1L),
            (randn(0, 32, 8, 8), randn(32, 32, 3, 3), 1L, 1L),
        })
        {
            weight.requires_grad_();
            using var last = x.dim() == 4 ? ChannelsLast.Prefer(x) : x.alias();
            var y = ConvolutionOps.Run(last, weight, null, [1, 1], [dilation, dilation], [Math.Max(1, dilation), Math.Max(1, dilation)], groups);
            Assert.Equal(x.shape[^1], y.shape[^1]);
            CallbackGuard.Backward(y.sum());
            Assert.Equal(weight.shape, weight.grad!.shape);
        }
    }

    private static (Tensor[] Gradients, Tensor Y) Gradients(Case drawn, bool isFused, int? whole)
    {
        using var fused = FusedOperations.Use(isFused);
        using var generator = new Generator(7);
        Tensor Draw(params long[] shape) => whole is { } most ? randint(-most, most + 1, shape, generator: generator).to_type(ScalarType.Float32) : randn(shape, generator: generator);
        var x = (isFused ? ChannelsLast.Prefer(Draw([drawn.Batch, drawn.Inputs, .. drawn.Size])) : Draw([drawn.Batch, drawn.Inputs, .. drawn.Size])).detach().requires_grad_();
        var (weight, bias) = (Draw([drawn.Outputs, drawn.Inputs, .. drawn.Kernel]).requires_grad_(), Draw(drawn.Outputs).requires_grad_());
        Tensor y;
        using (Autocast.Enter(DeviceType.CPU, isFused ? ScalarType.BFloat16 : ScalarType.Float32))
        {
            using var input = x.alias(); // as in a model: gone when the backward pass begins
            y = ConvolutionOps.Run(input, weight, bias, drawn.Stride, drawn.Padding, [1, 1], 1);
        }
        Assert.Equal(isFused ? ScalarType.BFloat16 : ScalarType.Float32, y.dtype);
        var cotangent = Draw(y.shape);
        CallbackGuard.Backward((y.to_type(ScalarType.Float32) * cotangent).sum());
        return ([weight.grad!, bias.grad!, x.grad!], y.detach());
    }

    private static void RequireTiles() => Assert.SkipUnless(TileProduct.IsAvailable, "This processor has no matrix tiles for bfloat16 (AMX), or this libtorch no kernel for them.");

    private sealed record Case(int Batch, int Inputs, int Outputs, long[] Size, long[] Kernel, long[] Stride, long[] Padding)
    {
        public override string ToString() => $"batch {Batch}, {Inputs} to {Outputs} channels, size {string.Join('x', Size)}, kernel {string.Join('x', Kernel)}, stride {string.Join('x', Stride)}, padding {string.Join('x', Padding)}";
    }
}

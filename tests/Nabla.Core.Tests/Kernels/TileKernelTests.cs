using System.Runtime.InteropServices;
using Nabla.Core.Kernels;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Operations on the processor's matrix tiles against the plain ones in float32: values, all gradients, the same bits twice.</summary>
[LeaksNoTensors]
public sealed class TileKernelTests
{
    private const double Half = 0.03; // of the largest entry or the norm: bfloat16 has 8 bits, and there are a few roundings on the way

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(3, 5, 7)]
    [InlineData(17, 64, 32)]
    [InlineData(33, 70, 100)]
    [InlineData(128, 130, 257)]
    public unsafe void Products_OfEverySize_AreThoseOfTheRoundedOperands(int rows, int columns, int inner)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        var (a, b) = (Draw(1, rows, inner), Draw(2, inner, columns));
        var (roundedA, roundedB) = (a.to_type(ScalarType.BFloat16).to_type(ScalarType.Float64), b.to_type(ScalarType.BFloat16).to_type(ScalarType.Float64));
        var expected = roundedA.mm(roundedB);
        var padded = TileProduct.PadInner(inner);
        using var first = new KernelBuffer((long)rows * padded * sizeof(ushort));
        using var second = new KernelBuffer((long)TileProduct.PackedSize(inner, columns) * sizeof(ushort));
        var (transposedA, transposedB, half) = (a.t().contiguous(), b.t().contiguous(), b.to_type(ScalarType.BFloat16));
        foreach (var form in new[] { "plain", "transposed", "half" })
        {
            var result = full([rows, columns], 1.0f);
            if (form == "transposed")
            {
                TilePacking.RowsOfTranspose((float*)TensorMemory.Address(transposedA), inner, rows, rows, (ushort*)first.Address, padded);
                using var rounded = new KernelBuffer((long)columns * padded * sizeof(ushort));
                TilePacking.Rows((float*)TensorMemory.Address(transposedB), columns, inner, inner, (ushort*)rounded.Address, padded);
                for (var column = 0; column < columns; column += 32)
                {
                    TilePacking.PanelColumns((ushort*)rounded.Address + ((long)column * padded), column, Math.Min(32, columns - column), columns, inner, padded, (ushort*)second.Address);
                }
            }
            else
            {
                TilePacking.Rows((float*)TensorMemory.Address(a), rows, inner, inner, (ushort*)first.Address, padded);
                if (form == "half")
                {
                    for (var row = 0; row < inner; row += 32)
                    {
                        TilePacking.PanelRows((ushort*)TensorMemory.Address(half) + ((long)row * columns), row, Math.Min(32, inner - row), inner, columns, columns, (ushort*)second.Address);
                    }
                }
                else
                {
                    TilePacking.Panels((float*)TensorMemory.Address(b), inner, columns, columns, (ushort*)second.Address);
                }
            }
            TileProduct.Multiply(rows, columns, padded, (ushort*)first.Address, padded, (ushort*)second.Address, (float*)TensorMemory.Address(result), columns, add: true);
            TileProduct.Release();
            Close(expected + 1, result, 1e-5, form);
        }
    }

    [Fact]
    public void Rounding_IsThatOfLibtorchAndKeepsNaN()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        var values = cat([Draw(5, 1000) * 1e3f, tensor([0f, -0f, float.PositiveInfinity, float.NegativeInfinity, 3.4e38f, 1e-40f])]);
        var expected = MemoryMarshal.Cast<byte, ushort>(values.to_type(ScalarType.BFloat16).bytes).ToArray();
        var actual = values.data<float>().Select(TilePacking.Round).ToArray();
        Assert.Equal(expected, actual);
        Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)TilePacking.Round(BitConverter.UInt32BitsToSingle(0x7FFFFFFF)) << 16)));
    }

    [Theory]
    [InlineData(1, new[] { 1, 1 }, true)]
    [InlineData(5, new[] { 3, 70, 2 }, true)]
    [InlineData(128, new[] { 64, 256, 256, 10 }, true)]
    [InlineData(37, new[] { 33, 100, 65, 17 }, false)]
    [InlineData(700, new[] { 300, 200, 90 }, true)] // shared among threads
    public void Perceptron_OnTiles_FollowsThePlainOperations(int batch, int[] widths, bool hasBias)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        List<Tensor> inputs = [Draw(1, batch, widths[0])];
        for (var layer = 1; layer < widths.Length; layer++)
        {
            inputs.Add(Draw(10 + layer, widths[layer], widths[layer - 1]) / Math.Sqrt(widths[layer - 1]));
            if (hasBias)
            {
                inputs.Add(Draw(20 + layer, widths[layer]) * 0.1);
            }
        }
        Compare(inputs, x =>
        {
            var step = hasBias ? 2 : 1;
            var weights = Enumerable.Range(0, widths.Length - 1).Select(layer => x[1 + (layer * step)]).ToArray();
            var biases = Enumerable.Range(0, widths.Length - 1).Select(layer => hasBias ? x[2 + (layer * step)] : null).ToArray();
            return PerceptronOps.Run(x[0], weights, biases);
        }, asWhole: true); // where a sum is nearly 0, rounding decides whether relu cuts it: single entries differ, the whole does not
    }

    [Fact]
    public void Perceptron_WithOneThreadOrMore_GivesTheSameBits()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        ThreadCounts.AssertSameBits(() =>
        {
            Tensor[] leaves = [Draw(1, 700, 300).requires_grad_(), Draw(2, 200, 300).requires_grad_(), Draw(3, 200).requires_grad_(), Draw(4, 90, 200).requires_grad_()];
            using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
            var y = PerceptronOps.Run(leaves[0], [leaves[1], leaves[3]], [leaves[2], null]);
            CallbackGuard.Backward(y.square().mean());
            return [.. y.detach().data<float>(), .. leaves.SelectMany(leaf => leaf.grad!.data<float>().ToArray())];
        });
    }

    [Fact]
    public void Perceptron_PassedBackwardsTwiceOrChangedBetween_SaysSo()
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        Tensor[] weights = [Draw(2, 30, 20).requires_grad_(), Draw(3, 4, 30).requires_grad_()];
        Tensor Loss() => CrossEntropyOps.Mean(PerceptronOps.Run(Draw(1, 9, 20), weights, [null, null]), zeros(9, ScalarType.Int64), -100);
        var twice = Loss();
        twice.backward(retain_graph: true);
        Assert.Contains("twice", Assert.Throws<TrainingException>(() => CallbackGuard.Backward(twice)).Message, StringComparison.Ordinal);
        var changed = Loss();
        using (no_grad())
        {
            weights[1].add_(1.ToScalar());
        }
        Assert.ThrowsAny<Exception>(() => CallbackGuard.Backward(changed));
        for (var i = 0; i < 1000; i++) // graphs that are never passed backwards are let go of, too
        {
            using var inner = NewDisposeScope();
            Loss();
        }
        CallbackGuard.Backward(Loss());
        Assert.All(weights, weight => Assert.True(weight.grad!.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Perceptron_WithWrongInput_SaysWhatIsExpected()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ShapeException>(() => PerceptronOps.Run(Draw(1, 2, 3), [Draw(2, 4, 5)], [null]));
        Assert.Contains("[batch, inputs=5]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 2)]
    [InlineData(128, 10)]
    [InlineData(33, 65)]
    public void CrossEntropy_OfFewClasses_FollowsTheFormula(int rows, int classes)
    {
        using var scope = NewDisposeScope();
        var targets = (arange(rows, dtype: ScalarType.Int64) * 7).remainder(classes);
        var kept = rows > 1 ? targets.index_fill(0, tensor(new long[] { 1 }), -100) : targets;
        foreach (var ids in new[] { targets, kept })
        {
            var plain = (Draw(1, rows, classes) * 5).to_type(ScalarType.Float64).requires_grad_();
            var own = plain.detach().to_type(ScalarType.Float32).requires_grad_();
            var expected = nn.functional.cross_entropy(plain, ids);
            Tensor actual;
            using (Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16))
            {
                Assert.True(CrossEntropyOps.Supports(own, ids));
                actual = CrossEntropyOps.Mean(own, ids, -100);
            }
            (expected * 3).backward();
            CallbackGuard.Backward(actual * 3);
            Close(expected, actual, 1e-6, "loss");
            Close(plain.grad!, own.grad!, 1e-6, "gradient");
        }
        Assert.True(double.IsNaN(CrossEntropyOps.Mean(Draw(1, rows, classes), full([rows], -100L, ScalarType.Int64), -100).to_type(ScalarType.Float64).item<double>()));
    }

    [Theory]
    [InlineData(1, 1, 1, 16, 1, false, true, false)]
    [InlineData(5, 7, 3, 48, 1, false, true, true)]
    [InlineData(33, 4, 20, 32, 2, false, false, false)]
    [InlineData(6, 9, 40, 16, 2, true, true, true)]
    [InlineData(32, 70, 16, 64, 1, true, true, false)]
    [InlineData(40, 37, 24, 32, 2, false, true, false)]
    [InlineData(2, 300, 8, 16, 1, true, true, true)]
    public void Lstm_OnTiles_FollowsThePlainOperations(int batch, int time, int inputs, int hidden, int layers, bool isBidirectional, bool hasBias, bool hasLengths)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        var directions = isBidirectional ? 2 : 1;
        var lengths = hasLengths ? tensor(Enumerable.Range(0, batch).Select(i => 1L + (i * 3 % time)).ToArray()) : null;
        List<Tensor> tensors = [Draw(1, batch, time, inputs), Draw(2, layers * directions, batch, hidden) * 0.5, Draw(3, layers * directions, batch, hidden) * 0.5];
        for (var number = 0; number < layers * directions; number++)
        {
            var width = number < directions ? inputs : directions * hidden;
            tensors.Add(Draw(10 + number, 4 * hidden, width) / Math.Sqrt(width));
            tensors.Add(Draw(20 + number, 4 * hidden, hidden) / Math.Sqrt(hidden));
            if (hasBias)
            {
                tensors.Add(Draw(30 + number, 4 * hidden) * 0.1);
                tensors.Add(Draw(40 + number, 4 * hidden) * 0.1);
            }
        }
        Compare(tensors, x =>
        {
            var (outputs, state, memory) = RecurrentOps.Run("lstm", x[0], lengths, x[1], x[2], [.. x.Skip(3)], hasBias, layers, 0, true, isBidirectional);
            return cat([outputs.to_type(ScalarType.Float32).flatten(), state.to_type(ScalarType.Float32).flatten() * 2, memory!.to_type(ScalarType.Float32).flatten() * 3]);
        });
    }

    [Theory]
    [InlineData(1, 5, 3, 16, false)]
    [InlineData(18, 70, 20, 48, true)]
    [InlineData(33, 40, 64, 80, false)]
    [InlineData(64, 9, 130, 64, true)]
    public void Lstm_OnAnyNumberOfThreads_HasTheSameBits(int batch, int time, int inputs, int hidden, bool hasLengths)
    {
        RequireTiles();
        using var scope = NewDisposeScope();
        var lengths = hasLengths ? tensor(Enumerable.Range(0, batch).Select(i => 1L + (i * 5 % time)).ToArray()) : null;
        Tensor[] start =
        [
            Draw(1, batch, time, inputs), Draw(2, 1, batch, hidden), Draw(3, 1, batch, hidden), Draw(4, 4 * hidden, inputs) / Math.Sqrt(inputs),
            Draw(5, 4 * hidden, hidden) / Math.Sqrt(hidden), Draw(6, 4 * hidden) * 0.1, Draw(7, 4 * hidden) * 0.1,
        ];
        ThreadCounts.AssertSameBits(() =>
        {
            var leaves = Array.ConvertAll(start, part => part.detach().clone().requires_grad_());
            using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
            var (outputs, state, memory) = RecurrentOps.Run("lstm", leaves[0], lengths, leaves[1], leaves[2], leaves[3..], true, 1, 0, true, false);
            var value = cat([outputs.flatten(), state.flatten(), memory!.flatten()]);
            CallbackGuard.Backward((value * Draw(9, value.shape)).sum());
            return [.. value.data<float>(), .. leaves.SelectMany(leaf => leaf.grad!.data<float>().ToArray())];
        });
    }

    [Fact]
    public void GateFunctions_FarOutAndNear_AreThoseOfTheMath()
    {
        RequireTiles();
        foreach (var x in new[] { -1e30f, -200f, -9.5f, -1f, -1e-3f, 0f, 1e-3f, 0.7f, 12f, 200f, 1e30f })
        {
            Assert.Equal(1 / (1 + Math.Exp(-(double)x)), GateFunctions.Sigmoid(System.Runtime.Intrinsics.Vector512.Create(x))[3], 2e-7);
            Assert.Equal(Math.Tanh(x), GateFunctions.Tanh(System.Runtime.Intrinsics.Vector512.Create(x))[5], 4e-7);
        }
        Assert.True(float.IsNaN(GateFunctions.Sigmoid(System.Runtime.Intrinsics.Vector512.Create(float.NaN))[0]));
        Assert.True(float.IsNaN(GateFunctions.Tanh(System.Runtime.Intrinsics.Vector512.Create(float.NaN))[15]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void ChannelsLast_OfPictures_HasTheSameValuesAndItsStrides(int channels)
    {
        using var scope = NewDisposeScope();
        var pictures = Draw(1, 2, channels, 5, 4);
        var actual = ChannelsLast.Prefer(pictures);
        Assert.Equal([20L * channels, 1, 4 * channels, channels], actual.stride());
        Assert.Equal(pictures.data<float>().ToArray(), actual.contiguous().reshape(-1).data<float>().ToArray());
        var convolved = nn.functional.conv2d(actual, Draw(2, 6, channels, 3, 3));
        Close(nn.functional.conv2d(pictures, Draw(2, 6, channels, 3, 3)), convolved, 1e-5, "convolution");
        Assert.Equal(1, convolved.stride(1));
    }

    /// <summary>Values and gradients in mixed precision on tiles against float32 by plain operations; and the same bits a second time.</summary>
    private static void Compare(List<Tensor> inputs, Func<Tensor[], Tensor> function, bool asWhole = false)
    {
        (Tensor Value, Tensor[] Gradients) Run(bool fused, ScalarType type)
        {
            var leaves = inputs.Select(input => input.detach().clone().requires_grad_()).ToArray();
            using var switched = FusedOperations.Use(fused);
            Tensor value;
            using (Autocast.Enter(DeviceType.CPU, type))
            {
                value = function(leaves).to_type(ScalarType.Float32);
            }
            var slopes = Draw(99, value.shape);
            CallbackGuard.Backward((value * slopes).sum());
            return (value, Array.ConvertAll(leaves, leaf => leaf.grad!));
        }
        var (expected, expectedGradients) = Run(fused: false, ScalarType.Float32);
        var (_, plainGradients) = Run(fused: false, ScalarType.BFloat16);
        var (actual, gradients) = Run(fused: true, ScalarType.BFloat16);
        var (again, gradientsAgain) = Run(fused: true, ScalarType.BFloat16);
        Close(expected, actual, Half, "value", asWhole);
        Assert.Equal(actual.data<float>().ToArray(), again.data<float>().ToArray());
        for (var i = 0; i < inputs.Count; i++)
        {
            // Several relus in bfloat16 move a gradient further than one rounding; it must be about as near as libtorch's own bfloat16.
            var allowed = Math.Max(Half, 1.5 * Distance(expectedGradients[i], plainGradients[i], asWhole).Share);
            Close(expectedGradients[i], gradients[i], allowed, $"gradient {i}", asWhole);
            Assert.Equal(gradients[i].data<float>().ToArray(), gradientsAgain[i].data<float>().ToArray());
        }
    }

    private static void Close(Tensor expected, Tensor actual, double tolerance, string what, bool asWhole = false)
    {
        Assert.Equal(expected.shape, actual.shape);
        var (difference, scale) = Distance(expected, actual, asWhole);
        Assert.True(difference <= tolerance, $"{what}: differs by {difference:G3} of its {(asWhole ? "norm" : "largest entry")} {scale:G3}; allowed is {tolerance:G3}.");
    }

    private static (double Share, double Scale) Distance(Tensor expected, Tensor actual, bool asWhole)
    {
        var (e, a) = (expected.to_type(ScalarType.Float64), actual.to_type(ScalarType.Float64));
        var order = asWhole ? 2 : double.PositiveInfinity;
        var scale = Math.Max(1e-6, linalg.vector_norm(e, order).item<double>());
        return (linalg.vector_norm(e - a, order).item<double>() / scale, scale);
    }

    internal static Tensor Draw(int seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, generator: generator);
    }

    internal static void RequireTiles() => Assert.SkipUnless(TileProduct.IsAvailable, "This processor has no matrix tiles for bfloat16 (AMX), or this libtorch no kernel for them.");
}

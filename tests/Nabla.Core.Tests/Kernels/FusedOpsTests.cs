using Nabla.Core.Kernels;
using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>The kernels against the plain formulas in float64, values and gradients, under the same dropout mask.</summary>
[LeaksNoTensors]
public sealed class FusedOpsTests
{
    private const double Single = 2e-5, Half = 0.03; // bfloat16 has 8 bits: 0.4 % a rounding, and there are a few on the way

    public static TheoryData<long, long> Shapes => new() { { 1, 1 }, { 3, 5 }, { 2, 8 }, { 7, 33 }, { 130, 384 } };

    [Theory, MemberData(nameof(Shapes))]
    public void LayerNorm_InBothTypes_FollowsTheFormula(long rows, long width)
    {
        using var scope = NewDisposeScope();
        foreach (var isForProduct in new[] { false, true })
        {
            Compare(
                isForProduct,
                [Draw(1, rows, width) * 3 + 1, Draw(2, width), Draw(3, width)],
                x => FusedOps.LayerNorm(x[0], x[1], x[2], 1e-5, isForProduct),
                (x, _) => nn.functional.layer_norm(x[0], [width], x[1], x[2], 1e-5));
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void AddBranch_WithAndWithoutDropout_FollowsTheFormula(long rows, long width)
    {
        using var scope = NewDisposeScope();
        foreach (var probability in new[] { 0, 0.4 })
        {
            foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
            {
                Compare(
                    type == ScalarType.BFloat16,
                    [Draw(1, rows, width), Draw(2, rows, width), Draw(3, width)],
                    x => FusedOps.AddBranch(x[0], x[1].to_type(type), x[2], probability),
                    (x, _) => x[0] + ((x[1] + x[2]) * Mask(probability, rows, width)));
                Compare(
                    type == ScalarType.BFloat16,
                    [Draw(1, rows, width), Draw(2, rows, width)],
                    x => FusedOps.AddBranch(x[0], x[1].to_type(type), null, probability),
                    (x, _) => x[0] + (x[1] * Mask(probability, rows, width)));
            }
        }
    }

    [Theory]
    [InlineData("relu")]
    [InlineData("gelu")]
    [InlineData("gelu-tanh")]
    [InlineData("silu")]
    public void Activate_EveryKind_FollowsTheFormula(string activation)
    {
        using var scope = NewDisposeScope();
        foreach (var (rows, width) in new[] { (1L, 1L), (7L, 33L), (130L, 384L) })
        {
            foreach (var probability in new[] { 0, 0.4 })
            {
                foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
                {
                    Compare(
                        type == ScalarType.BFloat16,
                        [((Draw(1, rows, width) * 16).round() / 4) + 0.125, (Draw(2, width) * 4).round() / 4], // exact in bfloat16, and never at relu's corner
                        x => FusedOps.Activate(x[0].to_type(type), x[1], activation, probability),
                        (x, _) => Plain(activation, x[0] + x[1]) * Mask(probability, rows, width));
                }
            }
        }
    }

    [Fact]
    public void Activate_FarOut_GoesToItsLimitsAndKeepsNaN()
    {
        using var scope = NewDisposeScope();
        var x = tensor([-1e30f, -200f, -30f, 0f, 30f, 200f, 1e30f, float.NaN]).requires_grad_();
        foreach (var activation in new[] { "relu", "gelu", "gelu-tanh", "silu" })
        {
            TensorAssert.Close(tensor([0f, 0f, 0f, 0f, 30f, 200f, 1e30f, float.NaN]), FusedOps.Activate(x, null, activation, 0), 1e-7, 1e-6, activation);
        }
        Assert.False(FusedOps.HasActivation("tanh"));
        Assert.Contains("'tanh'", Assert.Throws<ArgumentException>(() => FusedOps.Activate(x, null, "tanh", 0)).Message);
    }

    public static IEnumerable<TheoryDataRow<string, double, bool>> Attentions =>
        from mask in new[] { "none", "keys", "full", "numbers" }
        from probability in new[] { 0, 0.3 }
        from isCausal in new[] { false, true }
        select new TheoryDataRow<string, double, bool>(mask, probability, isCausal);

    public static IEnumerable<TheoryDataRow<string, double>> CrossAttentions => Attentions.Where(row => !row.Data.Item3).Select(row => new TheoryDataRow<string, double>(row.Data.Item1, row.Data.Item2));

    [Theory, MemberData(nameof(Attentions))]
    public void Attention_WithMasksAndDropout_FollowsTheFormula(string mask, double probability, bool isCausal)
    {
        foreach (var (batch, heads, queries, keys, size) in new[] { (1, 1, 1, 1, 1), (2, 3, 5, 7, 4), (2, 4, 20, 19, 32), (2, 2, 18, 50, 40), (2, 2, 40, 40, 16), (1, 2, 70, 200, 40), (1, 2, 140, 90, 72) })
        {
            using var scope = NewDisposeScope();
            var given = MaskOf(mask, batch, heads, queries, keys);
            foreach (var isHalf in new[] { false, true })
            {
                if (!isHalf && probability == 0)
                {
                    continue; // the library's own kernel, which has tests of its own
                }
                Compare(
                    isHalf,
                    [Draw(1, batch, heads, queries, size), Draw(2, batch, heads, keys, size), Draw(3, batch, heads, keys, size)],
                    x => Half16(isHalf, () => SafeOps.ScaledDotProductAttention(x[0], x[1], x[2], given, probability, isCausal, 0.4)),
                    (x, _) => SafeOps.MatMul(
                        SafeOps.AttentionWeights(x[0], x[1], given is null || given.dtype == ScalarType.Bool ? given : given.to(ScalarType.Float64), isCausal, 0.4) * Mask(probability, batch, heads, queries, keys),
                        x[2]));
            }
        }
    }

    [Theory, MemberData(nameof(Attentions))]
    public void SelfAttention_FromThePackedProjection_FollowsTheFormula(string mask, double probability, bool isCausal)
    {
        foreach (var (batch, heads, time, size) in new[] { (1, 1, 1, 1), (2, 3, 5, 4), (2, 2, 20, 32), (2, 2, 31, 72), (2, 2, 40, 16), (2, 2, 150, 40) })
        {
            using var scope = NewDisposeScope();
            var given = MaskOf(mask, batch, heads, time, time);
            foreach (var (type, hasBias) in new[] { (ScalarType.Float32, true), (ScalarType.BFloat16, true), (ScalarType.BFloat16, false) })
            {
                if (type == ScalarType.Float32 && probability == 0)
                {
                    Assert.False(FusedOps.SupportsAttention(zeros(batch, time, 3), time, heads, 0)); // the library's own kernel is as fast
                    continue;
                }
                Tensor[] inputs = [Draw(1, batch, time, 3 * heads * size), Draw(2, 3 * heads * size)];
                Compare(
                    type == ScalarType.BFloat16,
                    hasBias ? inputs : inputs[..1],
                    x => FusedOps.SelfAttention(x[0].to_type(type), hasBias ? x[1] : null, heads, given, probability, isCausal)!,
                    (x, _) =>
                    {
                        var parts = (hasBias ? x[0] + x[1] : x[0]).view(batch, time, 3, heads, size).permute(2, 0, 3, 1, 4);
                        var weights = SafeOps.AttentionWeights(parts[0], parts[1], given is null || given.dtype == ScalarType.Bool ? given : given.to(ScalarType.Float64), isCausal);
                        return SafeOps.MatMul(weights * Mask(probability, batch, heads, time, time), parts[2]).transpose(1, 2).reshape(batch, time, heads * size);
                    });
            }
        }
    }

    [Theory, MemberData(nameof(CrossAttentions))]
    public void CrossAttention_FromPackedProjections_FollowsTheFormula(string mask, double probability)
    {
        foreach (var (batch, heads, queries, keys, size) in new[] { (1, 1, 1, 1, 1), (2, 3, 5, 7, 4), (2, 2, 17, 33, 48), (2, 2, 40, 30, 16), (2, 2, 90, 150, 40) })
        {
            using var scope = NewDisposeScope();
            var (given, width) = (MaskOf(mask, batch, heads, queries, keys), heads * size);
            foreach (var (type, hasBias) in new[] { (ScalarType.Float32, true), (ScalarType.BFloat16, true), (ScalarType.BFloat16, false) })
            {
                if (type == ScalarType.Float32 && probability == 0)
                {
                    continue;
                }
                Tensor[] inputs = [Draw(1, batch, queries, width), Draw(2, batch, keys, 2 * width), Draw(3, 3 * width)];
                Compare(
                    type == ScalarType.BFloat16,
                    hasBias ? inputs : inputs[..2],
                    x => FusedOps.CrossAttention(x[0].to_type(type), x[1].to_type(type), hasBias ? x[2] : null, heads, given, probability)!,
                    (x, _) =>
                    {
                        var q = (hasBias ? x[0] + x[2].narrow(0, 0, width) : x[0]).view(batch, queries, heads, size).transpose(1, 2);
                        var parts = (hasBias ? x[1] + x[2].narrow(0, width, 2 * width) : x[1]).view(batch, keys, 2, heads, size).permute(2, 0, 3, 1, 4);
                        var weights = SafeOps.AttentionWeights(q, parts[0], given is null || given.dtype == ScalarType.Bool ? given : given.to(ScalarType.Float64));
                        return SafeOps.MatMul(weights * Mask(probability, batch, heads, queries, keys), parts[1]).transpose(1, 2).reshape(batch, queries, width);
                    });
            }
        }
    }

    [Fact]
    public void PackedAttention_WithAMaskOrBiasThatDoesNotFit_SaysSo()
    {
        using var scope = NewDisposeScope();
        using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        var (packed, query, memory) = (zeros(4, 5, 3 * 8).to_type(ScalarType.BFloat16).requires_grad_(), zeros(4, 5, 8).to_type(ScalarType.BFloat16).requires_grad_(), zeros(4, 7, 2 * 8).to_type(ScalarType.BFloat16));
        Assert.Contains("mask", Assert.Throws<ShapeException>(() => FusedOps.SelfAttention(packed, null, 2, ones(1, 1, 3, 5, dtype: ScalarType.Bool), 0.1, false)).Message, StringComparison.Ordinal);
        Assert.Contains("mask", Assert.Throws<ShapeException>(() => FusedOps.CrossAttention(query, memory, null, 2, ones(2, 1, 1, 7, dtype: ScalarType.Bool), 0.1)).Message, StringComparison.Ordinal);
        Assert.Contains("bias", Assert.Throws<ShapeException>(() => FusedOps.CrossAttention(query, memory, zeros(16), 2, null, 0.1)).Message, StringComparison.Ordinal);
        Assert.Contains("memory", Assert.Throws<ShapeException>(() => FusedOps.CrossAttention(query, zeros(4, 7, 8), null, 2, null, 0.1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Attention_WithANaN_SpreadsItInsteadOfHidingIt(bool isHalf)
    {
        using var scope = NewDisposeScope();
        var q = Draw(1, 1, 1, 3, 4).to_type(ScalarType.Float32).requires_grad_();
        var bad = q.detach().clone();
        bad[0, 0, 1, 2] = float.NaN;
        var result = Half16(isHalf, () => SafeOps.ScaledDotProductAttention(bad.requires_grad_(), q, q, null, 0.1));
        Assert.All(TensorAssert.Doubles(result.narrow(2, 1, 1)), value => Assert.True(double.IsNaN(value)));
        TensorAssert.Finite(result.narrow(2, 0, 1));
    }

    [Fact]
    public void Kernels_OnAnyNumberOfThreads_GiveTheSameBits()
    {
        using var scope = NewDisposeScope();
        ThreadCounts.AssertSameBits(() =>
        {
            manual_seed(5);
            var (x, b, w) = (Leaf(Draw(1, 4, 150, 96)), Leaf(Draw(2, 96)), Leaf(Draw(3, 96)));
            using var autocast = Autocast.IsAvailable ? Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16) : default;
            var h = FusedOps.LayerNorm(x, w, b, 1e-5, isForProduct: true);
            h = FusedOps.Activate(h, b, "gelu", 0.2);
            var heads = h.view(4, 150, 6, 16).transpose(1, 2);
            var a = SafeOps.ScaledDotProductAttention(heads, heads, heads, null, 0.2, isCausal: true).transpose(1, 2).reshape(4, 150, 96);
            var y = FusedOps.AddBranch(x, a, b, 0.2);
            var packed = Leaf(Draw(4, 4, 150, 3 * 96)).to_type(ScalarType.BFloat16);
            var bias = Leaf(Draw(5, 3 * 96));
            var attended = FusedOps.SelfAttention(packed, bias, 4, null, 0.2, isCausal: true);
            var brief = FusedOps.SelfAttention(packed.view(30, 20, 3 * 96), bias, 4, null, 0.2, isCausal: false);
            (y.square().sum() + Sum(attended) + Sum(brief)).backward();
            Tensor[] results = [y.detach(), x.grad!, b.grad!, w.grad!, .. bias.grad is { } biasGradient ? new[] { biasGradient } : []];
            return [.. results.SelectMany(result => result.to_type(ScalarType.Float32).data<float>().ToArray())];
        });

        static Tensor Sum(Tensor? attended) => attended is null ? zeros([]) : attended.to_type(ScalarType.Float32).square().sum();
    }

    [Fact]
    public void Backward_TwiceOrOfAGradient_IsRefusedWithAReason()
    {
        using var scope = NewDisposeScope();
        var x = Leaf(Draw(1, 3, 8));
        var twice = FusedOps.Activate(x, null, "gelu", 0).sum();
        twice.backward([], create_graph: false, retain_graph: true);
        Assert.Contains("twice", Assert.Throws<TrainingException>(() => CallbackGuard.Backward(twice)).Message);

        var again = FusedOps.Activate(x, null, "gelu", 0).sum();
        again.backward([], create_graph: true, retain_graph: true);
        Assert.Contains("gradients of gradients", Assert.Throws<TrainingException>(CallbackGuard.Current.ThrowIfCaught).Message);
    }

    [Fact]
    public void Support_OfWhatKernelsCannotTake_IsFalse_AndTheResultIsTheSame()
    {
        using var scope = NewDisposeScope();
        var (x, w, b) = (Draw(1, 3, 8), Draw(2, 8), Draw(3, 8));
        Assert.False(FusedOps.Support(x)); // float64
        Assert.True(FusedOps.Support(x.to_type(ScalarType.Float32)));
        using (no_grad())
        {
            Assert.False(FusedOps.Support(x.to_type(ScalarType.Float32)));
        }
        TensorAssert.Close(nn.functional.layer_norm(x, [8], w, b, 1e-5), FusedOps.LayerNorm(x, w, b, 1e-5, true), 1e-12, 1e-12);
        TensorAssert.Close(x + x + b, FusedOps.AddBranch(x, x, b, 0), 1e-12, 1e-12);
        foreach (var activation in new[] { "relu", "gelu", "gelu-tanh", "silu" })
        {
            TensorAssert.Close(Plain(activation, x + b), FusedOps.Activate(x, b, activation, 0), 1e-12, 1e-12, activation);
        }
    }

    [Fact]
    public void Exp_OverItsRange_IsRightToTwoUlp()
    {
        Span<float> values = stackalloc float[System.Numerics.Vector<float>.Count];
        for (var x = -87f; x < 88; x += 0.0137f)
        {
            VectorRow.Exp(new System.Numerics.Vector<float>(x)).CopyTo(values);
            Assert.True(Math.Abs(values[0] - Math.Exp(x)) <= 2 * MathF.BitIncrement(values[0]) - (2 * values[0]), $"exp({x}) = {values[0]}, expected {Math.Exp(x)}");
        }
        VectorRow.Exp(new System.Numerics.Vector<float>(float.NegativeInfinity)).CopyTo(values);
        Assert.Equal(0, values[0]);
        VectorRow.Exp(new System.Numerics.Vector<float>(float.NaN)).CopyTo(values);
        Assert.True(float.IsNaN(values[0]));
    }

    private static void Compare(bool isHalf, Tensor[] inputs, Func<Tensor[], Tensor> fused, Func<Tensor[], int, Tensor> plain)
    {
        if (isHalf && !Autocast.IsAvailable)
        {
            return;
        }
        using var scope = NewDisposeScope();
        var (single, exact) = (inputs.Select(Leaf).ToArray(), inputs.Select(input => input.detach().clone().requires_grad_()).ToArray());
        manual_seed(7);
        var actual = Half16(isHalf, () => fused(single));
        manual_seed(7);
        var expected = plain(exact, 0);
        var tolerance = isHalf ? Half : Single;
        TensorAssert.Close(expected, actual, tolerance, tolerance, "result");
        var cotangent = Draw(9, expected.shape);
        (actual.to_type(ScalarType.Float32) * cotangent.to_type(ScalarType.Float32)).sum().backward();
        CallbackGuard.Current.ThrowIfCaught();
        (expected * cotangent).sum().backward();
        for (var i = 0; i < inputs.Length; i++)
        {
            var scale = Math.Max(1, exact[i].grad!.abs().max().item<double>()); // sums over rows round at their own size
            TensorAssert.Close(exact[i].grad!, single[i].grad!, tolerance * scale, tolerance, $"gradient {i}");
        }
    }

    private static T Half16<T>(bool isHalf, Func<T> body)
    {
        if (!isHalf)
        {
            return body();
        }
        using var autocast = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        return body();
    }

    private static Tensor Leaf(Tensor x) => x.to_type(ScalarType.Float32).clone().detach().requires_grad_();

    private static Tensor Draw(long seed, params long[] shape)
    {
        using var generator = new Generator((ulong)seed);
        return randn(shape, ScalarType.Float64, generator: generator);
    }

    private static Tensor Mask(double probability, params long[] shape)
        => probability == 0 ? ones(shape, ScalarType.Float64) : FastDropout.Mask(shape, ScalarType.Float32, probability).to_type(ScalarType.Float64);

    private static Tensor? MaskOf(string kind, int batch, int heads, int queries, int keys) => kind switch
    {
        "keys" => arange(keys).unsqueeze(0).lt(arange(1, batch + 1).unsqueeze(1)).view(batch, 1, 1, keys),
        "full" => Draw(4, batch, heads, queries, keys).gt(-0.3).logical_and(arange(queries).view(1, 1, queries, 1).ne(queries - 1)), // the last query sees nothing
        "numbers" => Draw(4, 1, heads, queries, keys).to_type(ScalarType.Float32),
        _ => null,
    };

    private static Tensor Plain(string activation, Tensor x) => activation switch
    {
        "relu" => nn.functional.relu(x),
        "silu" => nn.functional.silu(x),
        "gelu-tanh" => nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh),
        _ => nn.functional.gelu(x),
    };
}

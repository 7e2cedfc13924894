using CsCheck;

namespace Nabla.Nn.Tests;

/// <summary>What must hold for every attention layer, whatever its sizes.</summary>
public sealed class AttentionPropertyTests
{
    private static readonly Gen<(AttentionOptions Options, int Batch, int Time, int Seed)> Layers =
        Gen.Select(Gen.Int[1, 3], Gen.Int[1, 2], Gen.Int[1, 2], Gen.Bool, Gen.Int[1, 3], Gen.Int[2, 9], Gen.Int[0, 1000])
            .Select((groups, keyHeads, half, useRotary, batch, time, seed) => (
                new AttentionOptions { Features = groups * keyHeads * half * 2, Heads = groups * keyHeads, KeyValueHeads = keyHeads, UseRotaryPositions = useRotary },
                batch, time, seed));

    [Fact]
    public void MultiHeadAttention_Causal_NeverLooksAhead() => Layers.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = Create(sample.Options with { IsCausal = true }, sample.Seed);
        var x = torch.randn(sample.Batch, sample.Time, sample.Options.Features, dtype: ScalarType.Float64);
        var changedFrom = 1 + (sample.Seed % (sample.Time - 1));
        var other = x.clone();
        other.narrow(1, changedFrom, sample.Time - changedFrom).add_(3);

        var (first, second) = (layer.call(x), layer.call(other));

        TensorAssert.Close(first.narrow(1, 0, changedFrom), second.narrow(1, 0, changedFrom), 1e-12, 1e-12);
        Assert.True((first - second).abs().max().ToDouble() > 1e-6, "the changed steps themselves must change");
    }, iter: 60, threads: 1);

    [Fact]
    public void MultiHeadAttention_MorePadding_LeavesRealStepsAlone() => Layers.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = Create(sample.Options, sample.Seed);
        var x = torch.randn(sample.Batch, sample.Time, sample.Options.Features, dtype: ScalarType.Float64);
        var padded = torch.cat([x, torch.randn(sample.Batch, 3, sample.Options.Features, dtype: ScalarType.Float64)], 1);
        var mask = torch.cat([torch.ones(sample.Batch, sample.Time, dtype: ScalarType.Bool), torch.zeros(sample.Batch, 3, dtype: ScalarType.Bool)], 1);

        TensorAssert.Close(layer.call(x), layer.call(padded, mask).narrow(1, 0, sample.Time), 1e-12, 1e-12);
    }, iter: 60, threads: 1);

    [Fact]
    public void MultiHeadAttention_CausalAndMask_EqualsBothTogether() => Layers.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var causal = Create(sample.Options with { IsCausal = true }, sample.Seed);
        using var plain = Create(sample.Options, sample.Seed);
        plain.load_state_dict(causal.state_dict());
        var x = torch.randn(sample.Batch, sample.Time, sample.Options.Features, dtype: ScalarType.Float64);
        var real = torch.rand(sample.Batch, sample.Time).gt(0.3); // [batch, time]
        var both = real.view(sample.Batch, 1, 1, sample.Time).logical_and(torch.ones(sample.Time, sample.Time, dtype: ScalarType.Bool).tril());

        TensorAssert.Close(plain.call(x, both), causal.call(x, real), 1e-12, 1e-12);
    }, iter: 40, threads: 1);

    [Fact]
    public void MultiHeadAttention_Weights_SumToOneAndExplainTheOutput() => Layers.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = Create(sample.Options with { IsCausal = sample.Seed % 2 == 0 }, sample.Seed);
        var weights = layer.Weights(torch.randn(sample.Batch, sample.Time, sample.Options.Features, dtype: ScalarType.Float64));
        TensorAssert.Close(torch.ones(sample.Batch, sample.Options.Heads, sample.Time, dtype: ScalarType.Float64), weights.sum(-1), 1e-12, 1e-12);
    }, iter: 30, threads: 1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TransformerBlock_MorePadding_LeavesRealStepsAlone(bool normalizeFirst)
    {
        using var scope = NewDisposeScope();
        using var block = new TransformerBlock(new() { Features = 6, Heads = 2, NormalizeFirst = normalizeFirst, Dropout = 0.5, StochasticDepth = 0.5, AttentionDropout = 0.5 });
        block.to(ScalarType.Float64);
        block.eval();
        var x = torch.randn(2, 4, 6, dtype: ScalarType.Float64);
        var padded = torch.cat([x, torch.ones(2, 2, 6, dtype: ScalarType.Float64)], 1);
        var mask = torch.arange(6).lt(4).unsqueeze(0).expand(2, 6);

        TensorAssert.Close(block.call(x), block.call(padded, mask).narrow(1, 0, 4), 1e-12, 1e-12);
    }

    [Fact]
    public void TransformerBlock_PreNorm_IsTheFormula()
    {
        using var scope = NewDisposeScope();
        using var block = new TransformerBlock(new() { Features = 6, Heads = 2 });
        block.eval();
        var x = torch.randn(2, 4, 6);
        var parts = block.named_children().ToDictionary(child => child.name, child => child.module);
        var (attentionNorm, feedForwardNorm) = ((nn.Module<Tensor, Tensor>)parts["attentionNorm"], (nn.Module<Tensor, Tensor>)parts["feedForwardNorm"]);
        var middle = x + ((MultiHeadAttention)parts["attention"]).call(attentionNorm.call(x));
        var expected = middle + ((FeedForwardBlock)parts["feedForward"]).call(feedForwardNorm.call(middle));
        TensorAssert.Close(expected, block.call(x), 1e-6, 1e-6);
    }

    [Fact]
    public void RotaryEmbedding_Scores_DependOnDistancesOnly() => Gen.Select(Gen.Int[1, 4], Gen.Bool, Gen.Int[0, 50], Gen.Int[0, 50], Gen.Int[0, 1000]).Sample((half, isInterleaved, distance, shift, seed) =>
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(seed);
        using var rotary = new RotaryEmbedding(new() { HeadSize = 2 * half, IsInterleaved = isInterleaved });
        var (q, k) = (torch.randn(1, 1, 1, 2 * half, dtype: ScalarType.Float64), torch.randn(1, 1, 1, 2 * half, dtype: ScalarType.Float64));
        var near = (rotary.Rotate(q, distance) * rotary.Rotate(k, 0)).sum();
        var far = (rotary.Rotate(q, distance + shift) * rotary.Rotate(k, shift)).sum();
        TensorAssert.Close(near, far, 1e-10, 1e-10);
        TensorAssert.Close(q.square().sum(), rotary.Rotate(q, shift).square().sum(), 1e-10, 1e-10, "length");
        TensorAssert.Equal(rotary.Rotate(q, shift), rotary.Rotate(q, torch.tensor(new long[] { shift })), "positions given");
    }, iter: 60, threads: 1);

    private static MultiHeadAttention Create(AttentionOptions options, int seed)
    {
        torch.manual_seed(seed);
        var layer = new MultiHeadAttention(options);
        layer.to(ScalarType.Float64);
        layer.eval();
        return layer;
    }
}

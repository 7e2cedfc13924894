namespace Nabla.Nn.Tests;

/// <summary>Operations that would end the process in their raw form, and those that TorchSharp does not bind.</summary>
public sealed class SafeOpsTests
{
    [Theory, LeaksNoTensors]
    [InlineData(new long[] { 2, 3 }, new long[] { 3, 4 }, new long[] { 2, 4 })]
    [InlineData(new long[] { 3 }, new long[] { 3 }, new long[] { })]
    [InlineData(new long[] { 3 }, new long[] { 3, 4 }, new long[] { 4 })]
    [InlineData(new long[] { 2, 3 }, new long[] { 3 }, new long[] { 2 })]
    [InlineData(new long[] { 5, 2, 3 }, new long[] { 5, 3, 4 }, new long[] { 5, 2, 4 })]
    [InlineData(new long[] { 5, 1, 2, 3 }, new long[] { 6, 3, 4 }, new long[] { 5, 6, 2, 4 })]
    [InlineData(new long[] { 0, 3 }, new long[] { 3, 4 }, new long[] { 0, 4 })]
    public void MatMul_ShapesThatFit_MultipliesThem(long[] left, long[] right, long[] expected)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (torch.randn(left, ScalarType.Float64), torch.randn(right, ScalarType.Float64));

        var product = SafeOps.MatMul(a, b);

        TensorAssert.HasShape(expected, product);
        TensorAssert.Close(torch.einsum(Equation(left.Length, right.Length), a, b), product, 1e-12, 1e-12);
    }

    [Theory]
    [InlineData(new long[] { 2, 3 }, new long[] { 4, 3 })]
    [InlineData(new long[] { 3 }, new long[] { 4 })]
    [InlineData(new long[] { }, new long[] { 3 })]
    [InlineData(new long[] { 5, 2, 3 }, new long[] { 4, 3, 4 })]
    [InlineData(new long[] { 2, 3 }, new long[] { })]
    public void MatMul_ShapesThatDoNotFit_ThrowsInsteadOfEndingTheProcess(long[] left, long[] right)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ShapeException>(() => SafeOps.MatMul(torch.ones(left), torch.ones(right)));
        Assert.StartsWith("SafeOps.MatMul: expected ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MatMul_DifferentTypes_Throws()
    {
        using var scope = NewDisposeScope();
        Assert.ThrowsAny<Exception>(() => SafeOps.MatMul(torch.ones(2, 2, 2), torch.ones([2], ScalarType.Float64)));
        Assert.ThrowsAny<Exception>(() => SafeOps.MatMul(torch.ones(2, 2), torch.ones([2, 2], ScalarType.Float64)));
    }

    [Theory]
    [InlineData(new long[] { 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, null)]
    [InlineData(new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 5 }, new long[] { 2, 2, 4, 3 }, null)]
    [InlineData(new long[] { 2, 3, 4, 3 }, new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, null)]
    [InlineData(new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 5, 3 }, null)]
    [InlineData(new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, new long[] { 2, 2, 4, 3 }, new long[] { 4, 5 })]
    public void ScaledDotProductAttention_ShapesThatDoNotFit_Throws(long[] query, long[] key, long[] value, long[]? mask)
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ShapeException>(() => SafeOps.ScaledDotProductAttention(torch.ones(query), torch.ones(key), torch.ones(value), mask is null ? null : torch.ones(mask, ScalarType.Bool)));
    }

    [Theory, LeaksNoTensors]
    [InlineData(false, 2, null)]
    [InlineData(true, 2, 0.3)]
    [InlineData(true, 1, null)]
    public void ScaledDotProductAttention_WithMask_EqualsWeightsTimesValues(bool isCausal, int keyHeads, double? scale)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(2);
        Tensor Draw(params long[] shape) => torch.randn(shape, ScalarType.Float64, generator: generator);
        var (q, k, v) = (Draw(3, 2, 5, 4), Draw(3, keyHeads, 5, 4), Draw(3, keyHeads, 5, 6));
        var mask = Draw(3, 1, 5, 5).gt(-0.5);
        mask.narrow(0, 0, 1).narrow(2, 3, 1).fill_(false); // one query that sees nothing

        var output = SafeOps.ScaledDotProductAttention(q, k, v, mask, 0, isCausal, scale);

        var weights = SafeOps.AttentionWeights(q, k, mask, isCausal, scale);
        TensorAssert.Close(SafeOps.MatMul(weights, v.repeat_interleave(2 / keyHeads, 1)), output, 1e-12, 1e-12);
        TensorAssert.Close(torch.zeros(2, 6, dtype: ScalarType.Float64), output.select(0, 0).select(1, 3), 0, 0, "a query that sees nothing");
    }

    [Fact, LeaksNoTensors]
    public void ScaledDotProductAttention_WithDropout_KeepsTheMean()
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(4);
        var (q, k, v) = (torch.zeros(1, 1, 4000, 2), torch.zeros(1, 1, 50, 2), torch.ones(1, 1, 50, 1));

        var output = SafeOps.ScaledDotProductAttention(q, k, v, null, 0.2);

        // Each output is the mean of 50 kept weights, of variance 0.2 / 0.8 / 50 around 1.
        Assert.InRange(output.mean().ToDouble(), 1 - (5 * Math.Sqrt(0.25 / 50 / 4000)), 1 + (5 * Math.Sqrt(0.25 / 50 / 4000)));
        Assert.InRange(output.var().ToDouble(), 0.004, 0.006);
    }

    [Fact, LeaksNoTensors]
    public void FastDropout_SameSeed_GivesSameMaskWhateverTheThreads()
    {
        using var scope = NewDisposeScope();
        var x = torch.ones(1000, 700);
        torch.manual_seed(9);
        var first = FastDropout.Apply(x, 0.3);
        var second = FastDropout.Apply(x, 0.3);
        torch.manual_seed(9);
        torch.set_num_threads(2);
        var again = FastDropout.Apply(x, 0.3);
        torch.set_num_threads(1);

        TensorAssert.Equal(first, again, "mask after the same seed");
        Assert.NotEqual(0, first.sub(second).abs().sum().ToDouble());
    }

    [Fact, LeaksNoTensors]
    public void FastDropout_NeighboursAndRows_AreIndependent()
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(10);
        var kept = FastDropout.Apply(torch.ones(512, 512), 0.5).ne(0).to(ScalarType.Float64) - 0.5;
        var next = FastDropout.Apply(torch.ones(512, 512), 0.5).ne(0).to(ScalarType.Float64) - 0.5;

        // A sum of n products of independent signs +-1/4 has a deviation of sqrt(n) / 4.
        foreach (var (other, what) in ((Tensor, string)[])[(kept.roll(1, 1), "neighbours"), (kept.roll(1, 0), "rows"), (kept.roll(16, 1), "vectors"), (next, "calls")])
        {
            Assert.True(Math.Abs(kept.mul(other).sum().ToDouble()) < 5 * 512 / 4.0, $"{what} are correlated: {kept.mul(other).sum().ToDouble()}");
        }
        Assert.InRange(kept.sum(1).abs().max().ToDouble(), 0, 6 * Math.Sqrt(512) / 2);
    }

    [Theory]
    [InlineData(-1L, "[1, 0]")]
    [InlineData(7L, "[1, 0]")]
    public void IdCheck_IdOutOfRange_NamesIdPlaceAndCount(long bad, string place)
    {
        using var scope = NewDisposeScope();
        foreach (var type in (ScalarType[])[ScalarType.Int64, ScalarType.Int32])
        {
            var ids = torch.tensor(new long[,] { { 0, 6 }, { bad, 3 } }).to(type);
            var error = Assert.Throws<DataException>(() => IdCheck.InRange(ids, 7, "Here", "class"));
            Assert.Equal($"Here: class id {bad} at {place} is out of range: there are 7 class ids, 0 to 6. Check how the data was encoded, or raise the count.", error.Message);
            IdCheck.InRange(ids, 7, "Here", "class", ignored: bad);
        }
    }

    private static string Equation(int left, int right) => (left, right) switch
    {
        (1, 1) => "k,k->",
        (1, 2) => "k,kj->j",
        (2, 1) => "ik,k->i",
        (2, 2) => "ik,kj->ij",
        (3, 3) => "bik,bkj->bij",
        _ => "abik,ckj->acij",
    };
}

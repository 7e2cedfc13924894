namespace Nabla.Nn.Tests;

/// <summary>Adapters, mixtures, positions and bags: what must hold besides the golden cases.</summary>
public sealed class AdapterAndMixtureTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LowRankLinear_Merged_DoesTheSameAndStartsAsTheFrozenLayer(bool useMagnitude)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = new LowRankLinear(new() { InputFeatures = 5, OutputFeatures = 4, Rank = 2, UseMagnitude = useMagnitude });
        layer.to(ScalarType.Float64);
        var state = layer.state_dict();
        var x = torch.randn(3, 5, dtype: ScalarType.Float64);
        TensorAssert.Close(nn.functional.linear(x, state["weight"], state["bias"]), layer.call(x), 1e-7, 1e-7, "before training");
        state["up"].normal_();
        TensorAssert.Close(nn.functional.linear(x, layer.Merged(), state["bias"]), layer.call(x), 1e-12, 1e-12, "after training");
        Assert.Equal(useMagnitude ? ["down", "magnitude", "up"] : ["down", "up"], layer.named_parameters().Where(named => named.parameter.requires_grad).Select(named => named.name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void MixtureOfExperts_WithCapacity_KeepsFirstChoicesFirstAndNeverMore()
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(2);
        using var layer = new MixtureOfExperts(new() { Features = 4, HiddenFeatures = 3, Experts = 3, TopK = 2, Capacity = 5 });
        var result = layer.call(torch.randn(2, 10, 4));
        TensorAssert.HasShape([2, 10, 4], result.Output);
        double[] choices = TensorAssert.Doubles(result.Choices), kept = TensorAssert.Doubles(result.Kept);
        var used = new int[3];
        for (var slot = 0; slot < 2; slot++)
        {
            for (var token = 0; token < 20; token++)
            {
                var expert = (int)choices[(token * 2) + slot];
                Assert.Equal(used[expert] < 5 ? 1 : 0, kept[(token * 2) + slot]);
                used[expert]++;
            }
        }
        Assert.Equal(used.Select(count => (double)count), TensorAssert.Doubles(result.Loads));
    }

    [Fact]
    public void SelectiveScan_InTwoParts_IsTheWhole()
    {
        using var scope = NewDisposeScope();
        Tensor Random(params long[] shape) => torch.randn(shape, ScalarType.Float64);
        SelectiveScanInput whole = new() { Input = Random(2, 6, 3), Delta = Random(2, 6, 3), LogDecay = Random(3, 4), Write = Random(2, 6, 4), Read = Random(2, 6, 4), Skip = Random(3) };
        var (output, state) = SelectiveScan.Run(whole);
        var first = SelectiveScan.Run(Part(whole, 0, 2));
        var second = SelectiveScan.Run(Part(whole, 2, 4) with { State = first.State });
        TensorAssert.Close(output, torch.cat([first.Output, second.Output], 1), 1e-12, 1e-12);
        TensorAssert.Close(state, second.State, 1e-12, 1e-12);
        Assert.Throws<ShapeException>(() => SelectiveScan.Run(whole with { Skip = torch.zeros(2) }));

        static SelectiveScanInput Part(SelectiveScanInput all, long start, long count) => all with
        {
            Input = all.Input.narrow(1, start, count),
            Delta = all.Delta.narrow(1, start, count),
            Write = all.Write.narrow(1, start, count),
            Read = all.Read.narrow(1, start, count),
        };
    }

    [Fact]
    public void AlibiBias_OfANewQuery_IsTheLastRowOfTheWhole()
    {
        using var scope = NewDisposeScope();
        var whole = AlibiBias.Create(4, 5, 5);
        TensorAssert.Equal(whole.narrow(2, 4, 1), AlibiBias.Create(4, 1, 5));
        Assert.Equal(-0.25f * 3, whole[0, 0, 4, 1].ToSingle());
        Assert.Equal(AlibiBias.Create(2, 3, 3, isSymmetric: true)[0, 1, 0, 2].ToSingle(), AlibiBias.Create(2, 3, 3, isSymmetric: true)[0, 1, 2, 0].ToSingle());
    }

    [Fact]
    public void RelativePositionBias_OfANewQuery_IsTheLastRowOfTheWhole()
    {
        using var scope = NewDisposeScope();
        using var layer = new RelativePositionBias(new() { Heads = 2 });
        TensorAssert.Equal(layer.call(6, 6).narrow(2, 5, 1), layer.call(1, 6));
    }

    [Fact]
    public void EmbeddingBagTable_WrongInputs_ThrowInsteadOfReadingBeyond()
    {
        using var scope = NewDisposeScope();
        using var table = new EmbeddingBagTable(new() { Count = 4, Features = 2 });
        Tensor Ids(params long[] ids) => torch.tensor(ids);
        Assert.Throws<DataException>(() => table.call(Ids(0, 4), Ids(0)));
        Assert.Throws<DataException>(() => table.call(Ids(0, 1), Ids(1)));
        Assert.Throws<DataException>(() => table.call(Ids(0, 1), Ids(0, 2, 1)));
        Assert.Throws<DataException>(() => table.call(Ids(0, 1), Ids(0, 3)));
        Assert.Throws<ShapeException>(() => table.call(Ids(0, 1)));
        Assert.Throws<ShapeException>(() => table.call(Ids(0, 1), Ids(0), torch.ones(2))); // a mean takes no weights
    }

    [Fact]
    public void MixtureOfExperts_UnderAutocast_ChoosesTheSameExperts()
    {
        Assert.SkipUnless(Autocast.IsAvailable, Autocast.UnavailableReason ?? "");
        using var scope = NewDisposeScope();
        torch.manual_seed(2);
        using var layer = new MixtureOfExperts(new() { Features = 8, HiddenFeatures = 4, Experts = 6 });
        var tokens = torch.randn(2000, 8); // with scores in bfloat16, 30 of the 4,000 choices differ
        using var exact = layer.call(tokens);
        using var mixed = Autocast.Enter(DeviceType.CPU, ScalarType.BFloat16);
        using var rounded = layer.call(tokens);
        TensorAssert.Equal(exact.Choices, rounded.Choices, "choices under bfloat16 autocast");
        TensorAssert.Equal(exact.Weights, rounded.Weights, "weights of the choices under bfloat16 autocast");
    }

    [Fact]
    public void CrossAttention_WrongShapes_Throw()
    {
        using var scope = NewDisposeScope();
        using var layer = new CrossAttention(new() { Features = 4, Heads = 2, KeyFeatures = 3 });
        Assert.Throws<ShapeException>(() => layer.call(new(torch.zeros(1, 2, 3), torch.zeros(1, 2, 3), torch.zeros(1, 2, 4))));
        Assert.Throws<ShapeException>(() => layer.call(new(torch.zeros(1, 2, 4), torch.zeros(1, 2, 4), torch.zeros(1, 2, 4))));
        Assert.Throws<ShapeException>(() => layer.call(new(torch.zeros(1, 2, 4), torch.zeros(1, 5, 3), torch.zeros(1, 2, 4))));
        Assert.Throws<ShapeException>(() => layer.call(new(torch.zeros(1, 2, 4), torch.zeros(1, 5, 3), torch.zeros(1, 5, 4), torch.ones(1, 4, dtype: ScalarType.Bool))));
    }

    [Fact]
    public void CrossAttention_QueryThatSeesNothing_GivesTheOutputBias()
    {
        using var scope = NewDisposeScope();
        using var layer = new CrossAttention(new() { Features = 4, Heads = 2 });
        var x = torch.randn(2, 3, 4);
        var mask = torch.tensor(new[] { true, true, true, false, false, false }).view(2, 3);
        var output = layer.call(new(x, x, x, mask));
        TensorAssert.Close(layer.state_dict()["out_proj.bias"].expand(3, 4), output[1]);
        output.sum().backward();
        Assert.All(layer.parameters(), parameter => TensorAssert.Finite(parameter.grad!));
    }

    [Fact]
    public void NormalizedLinear_BySpectrum_HasALargestSingularValueOfOne()
    {
        using var scope = NewDisposeScope();
        torch.manual_seed(1);
        var weight = torch.randn(4, 3, dtype: ScalarType.Float64);
        var (left, right) = (torch.randn(4, dtype: ScalarType.Float64), torch.randn(3, dtype: ScalarType.Float64));
        var normalized = WeightNormalizations.BySpectrum(weight, left, right, iterations: 200);
        Assert.Equal(1, torch.linalg.svdvals(normalized).max().ToDouble(), 1e-9);
        Assert.Throws<ShapeException>(() => WeightNormalizations.BySpectrum(weight, right, left));
        Assert.Throws<ShapeException>(() => WeightNormalizations.ByLength(weight, torch.ones(4)));
    }
}

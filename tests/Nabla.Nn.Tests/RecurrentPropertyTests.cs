using CsCheck;

namespace Nabla.Nn.Tests;

/// <summary>What must hold for every recurrent layer, whatever its cell and sizes.</summary>
public sealed class RecurrentPropertyTests
{
    private static readonly Gen<(RecurrentOptions Options, int Seed)> Layers =
        Gen.Select(Gen.OneOf(Gen.Const("lstm"), Gen.Const("gru"), Gen.Const("rnn-tanh"), Gen.Const("rnn-relu")), Gen.Int[1, 2], Gen.Bool, Gen.Bool, Gen.Int[0, 1000])
            .Select((cell, layers, isBidirectional, isProjected, seed) => (
                new RecurrentOptions
                {
                    Cell = cell,
                    InputFeatures = 3,
                    HiddenFeatures = 4,
                    Layers = layers,
                    IsBidirectional = isBidirectional,
                    ProjectionFeatures = cell == "lstm" && isProjected ? 2 : null,
                },
                seed));

    [Fact]
    public void Recurrent_WithLengths_EqualsEachSequenceAlone() => Layers.Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = Create(sample.Options, sample.Seed);
        long[] lengths = [2, 5, 1, 3];
        var x = torch.randn(4, 6, 3, dtype: ScalarType.Float64);

        using var all = layer.call(x, torch.tensor(lengths));

        TensorAssert.HasShape([4, 6, layer.OutputFeatures], all.Outputs);
        for (var row = 0; row < lengths.Length; row++)
        {
            var length = lengths[row];
            using var alone = layer.call(x.narrow(0, row, 1).narrow(1, 0, length));
            TensorAssert.Close(alone.Outputs, all.Outputs.narrow(0, row, 1).narrow(1, 0, length), 1e-12, 1e-12, $"outputs of row {row}");
            TensorAssert.Close(alone.State.Hidden, all.State.Hidden.narrow(1, row, 1), 1e-12, 1e-12, $"state of row {row}");
            if (alone.State.Memory is { } memory)
            {
                TensorAssert.Close(memory, all.State.Memory!.narrow(1, row, 1), 1e-12, 1e-12, $"memory of row {row}");
            }
            Assert.Equal(0, all.Outputs.narrow(0, row, 1).narrow(1, length, 6 - length).abs().sum().ToDouble());
        }
    }, iter: 40, threads: 1);

    [Fact]
    public void Recurrent_InTwoPieces_EqualsOneRun() => Layers.Where(sample => !sample.Options.IsBidirectional).Sample(sample =>
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        using var layer = Create(sample.Options, sample.Seed);
        var x = torch.randn(2, 7, 3, dtype: ScalarType.Float64);

        using var whole = layer.call(x);
        using var first = layer.call(x.narrow(1, 0, 3));
        using var second = layer.call(x.narrow(1, 3, 4), null, first.State.Detach());

        TensorAssert.Close(whole.Outputs, torch.cat([first.Outputs, second.Outputs], 1), 1e-12, 1e-12);
        TensorAssert.Close(whole.State.Hidden, second.State.Hidden, 1e-12, 1e-12);
    }, iter: 30, threads: 1);

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Recurrent_LengthOutOfRange_Throws(long length)
    {
        using var scope = NewDisposeScope();
        using var layer = new Recurrent(new() { InputFeatures = 3, HiddenFeatures = 4 });
        var error = Assert.Throws<DataException>(() => layer.call(torch.zeros(2, 6, 3), torch.tensor(new long[] { 3, length })));
        Assert.Contains($"a length is {length}; it must lie in [1, time=6]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Recurrent_WrongShapes_Throws()
    {
        using var scope = NewDisposeScope();
        using var layer = new Recurrent(new() { InputFeatures = 3, HiddenFeatures = 4 });
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 6, 5)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 0, 3)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 6, 3), torch.ones(3, ScalarType.Int64)));
        Assert.Throws<ShapeException>(() => layer.call(torch.zeros(2, 6, 3), null, new RecurrentState(torch.zeros(1, 3, 4), torch.zeros(1, 2, 4))));
        Assert.Throws<ArgumentException>(() => layer.call(torch.zeros(2, 6, 3), null, new RecurrentState(torch.zeros(1, 2, 4))));
    }

    private static Recurrent Create(RecurrentOptions options, int seed)
    {
        torch.manual_seed(seed);
        var layer = new Recurrent(options);
        layer.to(ScalarType.Float64);
        layer.eval();
        return layer;
    }
}

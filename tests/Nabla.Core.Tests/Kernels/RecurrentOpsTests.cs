using Nabla.Testing;

namespace Nabla.Core.Tests;

/// <summary>Stacked layers one at a time, as on a GPU, are those at once.</summary>
public sealed class RecurrentOpsTests
{
    [Theory]
    [InlineData("lstm", 4, false, false), InlineData("lstm", 4, true, true), InlineData("gru", 3, true, false), InlineData("gru", 3, false, true)]
    [InlineData("rnn-tanh", 1, true, true), InlineData("rnn-relu", 1, false, false)]
    public void LayerByLayer_IsTheStackAtOnce(string cell, long gates, bool isBidirectional, bool hasLengths)
    {
        const long Batch = 3, Time = 5, Features = 4, Hidden = 6, Layers = 3;
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var directions = isBidirectional ? 2 : 1;
        Tensor Random(params long[] shape) => randn(shape, generator: generator);
        List<Tensor> weights = [];
        for (var layer = 0; layer < Layers * directions; layer++)
        {
            weights.AddRange([Random(gates * Hidden, layer < directions ? Features : directions * Hidden), Random(gates * Hidden, Hidden), Random(gates * Hidden), Random(gates * Hidden)]);
        }
        var (x, hidden, memory) = (Random(Batch, Time, Features), Random(Layers * directions, Batch, Hidden), cell == "lstm" ? Random(Layers * directions, Batch, Hidden) : null);
        var lengths = hasLengths ? tensor(new long[] { 2, 5, 1 }) : null;

        var once = RecurrentOps.Run(cell, x, lengths, hidden, memory, [.. weights], hasBias: true, Layers, dropout: 0, isTraining: false, isBidirectional);
        var turns = RecurrentOps.LayerByLayer(cell, x, lengths, hidden, memory, [.. weights], hasBias: true, Layers, dropout: 0, isBidirectional);

        TensorAssert.Close(once.Outputs, turns.Outputs, 1e-5, 1e-5, "outputs");
        TensorAssert.Close(once.Hidden, turns.Hidden, 1e-5, 1e-5, "last state");
        if (cell == "lstm")
        {
            TensorAssert.Close(once.Memory!, turns.Memory!, 1e-5, 1e-5, "last memory");
        }
        else
        {
            Assert.Null(turns.Memory);
        }
    }
}

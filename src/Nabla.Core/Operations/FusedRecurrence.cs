using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>Stacked LSTM layers in mixed precision on the processor's tiles: the fused path of <see cref="RecurrentOps"/>.</summary>
internal static class FusedRecurrence
{
    private const int VectorMultiple = 16;
    private const long MostTape = 1L << 30; // entries of the largest buffer; addresses of a kernel are 32-bit within a step only

    /// <summary>Whether the fused path is for this call.</summary>
    /// <param name="cell">The cell.</param>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="hidden">Initial state; its width tells whether there is a projection.</param>
    /// <param name="memory">Initial memory.</param>
    /// <param name="weights">All weights.</param>
    public static bool Supports(string cell, Tensor x, Tensor hidden, Tensor? memory, Tensor[] weights)
        => FusedOperations.AreEnabled && cell == "lstm" && TileProduct.IsAvailable && x.device_type == DeviceType.CPU
            && Autocast.TypeOn(DeviceType.CPU) == ScalarType.BFloat16 && x.dtype is ScalarType.Float32 or ScalarType.BFloat16
            && memory is not null && memory.Sizes()[^1] == hidden.Sizes()[^1] && hidden.Sizes()[^1] % VectorMultiple == 0 && x.numel() > 0
            && x.Sizes()[0] * x.Sizes()[1] * 4 * hidden.Sizes()[^1] <= MostTape
            && Array.TrueForAll(weights, weight => weight.dtype == ScalarType.Float32 && weight.device_type == DeviceType.CPU && weight.is_contiguous());

    /// <summary>As <see cref="RecurrentOps.Run"/> with an LSTM.</summary>
    public static (Tensor Outputs, Tensor Hidden, Tensor? Memory) Run(
        Tensor x, Tensor? lengths, Tensor hidden, Tensor memory, Tensor[] weights, bool hasBias, long layers, double dropout, bool isTraining, bool isBidirectional)
    {
        using var scope = NewDisposeScope();
        var real = lengths is null ? null : Array.ConvertAll(lengths.data<long>().ToArray(), length => (int)length);
        var (directions, each) = (isBidirectional ? 2 : 1, hasBias ? 4 : 2);
        var (time, states, memories) = (x.Sizes()[1], new List<Tensor>(), new List<Tensor>());
        for (var layer = 0; layer < layers; layer++)
        {
            if (layer > 0)
            {
                x = FastDropout.Apply(x, dropout, isTraining);
            }
            var outputs = new Tensor[directions];
            for (var direction = 0; direction < directions; direction++)
            {
                var number = (layer * directions) + direction;
                var own = weights.AsSpan(number * each, each);
                var y = LstmFunction.Apply(x, hidden.select(0, number), memory.select(0, number), own[0], own[1], hasBias ? own[2] : null, hasBias ? own[3] : null, real, direction == 1); // [batch, time + 2, hidden]
                outputs[direction] = y.narrow(1, 0, time);
                states.Add(y.select(1, time));
                memories.Add(y.select(1, time + 1));
            }
            x = directions == 1 ? outputs[0] : cat(outputs, -1); // [batch, time, directions * hidden]
        }
        return (x.MoveToOuterDisposeScope(), stack(states).MoveToOuterDisposeScope(), stack(memories).MoveToOuterDisposeScope());
    }
}

namespace Nabla.Core;

/// <summary>Recurrent kernels of libtorch with the caller's own weights, batch first, on whole or packed sequences.</summary>
public static class RecurrentOps
{
    /// <summary>Runs stacked recurrent layers over a batch of sequences.</summary>
    /// <param name="cell">lstm, gru, rnn-tanh or rnn-relu.</param>
    /// <param name="x"><c>[batch, time, features]</c>.</param>
    /// <param name="lengths">True lengths, int64 on the CPU, <c>[batch]</c>, each in [1, time]; null: all are whole.</param>
    /// <param name="hidden">Initial state, <c>[layers * directions, batch, hidden or projection]</c>.</param>
    /// <param name="memory">Initial memory of an LSTM, <c>[layers * directions, batch, hidden]</c>; null for others.</param>
    /// <param name="weights">For each layer and direction: input weights, recurrent weights, biases (if any), projection (if any).</param>
    /// <param name="hasBias">Whether there are biases.</param>
    /// <param name="layers">Number of layers.</param>
    /// <param name="dropout">Chance of dropping a unit between layers, in [0, 1).</param>
    /// <param name="isTraining">Whether dropout is on.</param>
    /// <param name="isBidirectional">Whether there is a second direction.</param>
    /// <returns>
    /// Outputs <c>[batch, time, directions * hidden]</c> (0 after a sequence's end), final state and, for an LSTM, final memory,
    /// both of each sequence's last true step.
    /// </returns>
    public static (Tensor Outputs, Tensor Hidden, Tensor? Memory) Run(
        string cell, Tensor x, Tensor? lengths, Tensor hidden, Tensor? memory, Tensor[] weights,
        bool hasBias, long layers, double dropout, bool isTraining, bool isBidirectional)
    {
        ArgumentNullException.ThrowIfNull(x);
        var function = cell switch
        {
            "lstm" => "lstm",
            "gru" => "gru",
            "rnn-tanh" => "rnn_tanh",
            "rnn-relu" => "rnn_relu",
            _ => throw new ArgumentException($"Cell '{cell}' is not known. Valid: lstm, gru, rnn-tanh, rnn-relu.", nameof(cell)),
        };
        if (FusedRecurrence.Supports(cell, x, hidden, memory, weights))
        {
            return FusedRecurrence.Run(x, lengths, hidden, memory!, weights, hasBias, layers, dropout, isTraining, isBidirectional);
        }
        if (x.device_type == DeviceType.CUDA)
        {
            if (dropout > 0 && layers > 1)
            {
                return LayerByLayer(cell, x, lengths, hidden, memory, weights, hasBias, layers, isTraining ? dropout : 0, isBidirectional);
            }
            CudnnWeights.Join(cell, x, hidden, weights, hasBias, layers, isBidirectional);
            (isTraining, dropout) = (isTraining || is_grad_enabled(), 0); // cuDNN computes gradients in training mode only
        }
        object state = memory is null ? hidden : new Tensor[] { hidden, memory };
        if (lengths is null)
        {
            return Split(function, AtenScript.Call<object>(function, x, state, weights, hasBias, layers, dropout, isTraining, isBidirectional));
        }

        using var scope = NewDisposeScope();
        var order = lengths.argsort(-1, descending: true); // packing wants the longest first
        var back = order.argsort();
        var (onDevice, backOnDevice) = (order.to(x.device), back.to(x.device));
        state = memory is null ? hidden.index_select(1, onDevice) : new Tensor[] { hidden.index_select(1, onDevice), memory.index_select(1, onDevice) };
        var (packed, sizes) = AtenScript.Call<(Tensor, Tensor)>("pack", x.index_select(0, onDevice), lengths.index_select(0, order)); // [sum(lengths), features]
        var (outputs, lastHidden, lastMemory) = Split(function, AtenScript.Call<object>(function + "_packed", packed, sizes, state, weights, hasBias, layers, dropout, isTraining, isBidirectional));
        var (padded, _) = AtenScript.Call<(Tensor, Tensor)>("unpack", outputs, sizes, x.Sizes()[1]); // [batch, time, directions * hidden]
        return (padded.index_select(0, backOnDevice).MoveToOuterDisposeScope(),
            lastHidden.index_select(1, backOnDevice).MoveToOuterDisposeScope(),
            lastMemory?.index_select(1, backOnDevice).MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Layers one at a time with dropout between them: cuDNN's own dropout has a random state that no seed reaches again, so that a resumed run
    /// would draw other masks.
    /// </summary>
    internal static (Tensor Outputs, Tensor Hidden, Tensor? Memory) LayerByLayer(
        string cell, Tensor x, Tensor? lengths, Tensor hidden, Tensor? memory, Tensor[] weights, bool hasBias, long layers, double dropout, bool isBidirectional)
    {
        using var scope = NewDisposeScope();
        var (states, each) = (hidden.size(0) / layers, weights.Length / (int)layers);
        List<Tensor> lastHidden = [], lastMemory = [];
        for (var layer = 0; layer < layers; layer++)
        {
            var input = layer == 0 ? x : FastDropout.Apply(x, dropout);
            Tensor? end;
            (x, var last, end) = Run(
                cell, input, lengths, hidden.narrow(0, layer * states, states), memory?.narrow(0, layer * states, states), weights[(layer * each)..((layer + 1) * each)],
                hasBias, 1, 0, isTraining: false, isBidirectional); // within a layer there is no dropout to turn on
            lastHidden.Add(last);
            if (end is not null)
            {
                lastMemory.Add(end);
            }
        }
        return (x.MoveToOuterDisposeScope(), cat(lastHidden, 0).MoveToOuterDisposeScope(), memory is null ? null : cat(lastMemory, 0).MoveToOuterDisposeScope());
    }

    private static (Tensor Outputs, Tensor Hidden, Tensor? Memory) Split(string function, object result)
    {
        if (function == "lstm")
        {
            var (outputs, hidden, memory) = ((Tensor, Tensor, Tensor))result;
            return (outputs, hidden, memory);
        }
        var (y, h) = ((Tensor, Tensor))result;
        return (y, h, null);
    }
}

namespace Nabla.Core.Kernels;

/// <summary>One direction of one LSTM layer as one operation of the graph.</summary>
internal static class LstmFunction
{
    /// <summary>Outputs, final state and final memory, <c>[batch, time + 2, hidden]</c>, float32.</summary>
    /// <param name="x">float32 or bfloat16, <c>[batch, time, inputs]</c>.</param>
    /// <param name="hidden">Initial state, <c>[batch, hidden]</c>.</param>
    /// <param name="memory">Initial memory, the same shape.</param>
    /// <param name="inputWeight"><c>[4 * hidden, inputs]</c>.</param>
    /// <param name="stateWeight"><c>[4 * hidden, hidden]</c>.</param>
    /// <param name="inputBias"><c>[4 * hidden]</c>; null with <paramref name="stateBias"/>.</param>
    /// <param name="stateBias">The same shape.</param>
    /// <param name="lengths">Steps of each sequence; null: all.</param>
    /// <param name="isReverse">Whether sequences are read from their end.</param>
    public static Tensor Apply(Tensor x, Tensor hidden, Tensor memory, Tensor inputWeight, Tensor stateWeight, Tensor? inputBias, Tensor? stateBias, int[]? lengths, bool isReverse)
    {
        using var scope = NewDisposeScope();
        var (shape, needsInputGradient) = (ShapeOf(x, inputWeight, lengths, isReverse), x.requires_grad);
        Tensor y;
        Tensor[] tape;
        using (no_grad())
        {
            (y, tape) = Run(shape, x, hidden, memory, inputWeight, stateWeight, inputBias, stateBias);
        }
        Tensor[] parameters = inputBias is null ? [inputWeight, stateWeight] : [inputWeight, stateWeight, inputBias, stateBias!];
        FusedNode.Attach(nameof(LstmFunction), y, [x, hidden, memory], parameters, [.. tape, .. parameters], (saved, cotangent) => Backward(saved, cotangent, shape, needsInputGradient));
        return y.MoveToOuterDisposeScope();
    }

    private static Tensor?[] Backward(IReadOnlyList<Tensor> saved, Tensor cotangent, LstmShape shape, bool needsInputGradient)
    {
        var gradient = cotangent.to_type(ScalarType.Float32).contiguous();
        var (hidden, memory) = (torch.empty([shape.Batch, shape.Hidden]), torch.empty([shape.Batch, shape.Hidden]));
        var (inputWeight, stateWeight, bias) = (torch.empty([shape.Gates, shape.Inputs]), torch.empty([shape.Gates, shape.Hidden]), torch.empty([shape.Gates]));
        var x = needsInputGradient ? torch.empty([shape.Batch, shape.Time, shape.Inputs]) : null;
        LstmBackward.Run(shape, TensorMemory.Address(saved[4]), TensorMemory.Address(saved[5]), TapeOf(saved), TensorMemory.Address(gradient),
            new(x is null ? 0 : TensorMemory.Address(x), TensorMemory.Address(inputWeight), TensorMemory.Address(stateWeight), TensorMemory.Address(bias), TensorMemory.Address(hidden), TensorMemory.Address(memory)));
        Tensor?[] gradients = [x, hidden, memory, DirectGradients.Deliver(saved[4], inputWeight), DirectGradients.Deliver(saved[5], stateWeight)];
        return saved.Count > 6 ? [.. gradients, DirectGradients.Deliver(saved[6], bias.clone()), DirectGradients.Deliver(saved[7], bias)] : gradients;
    }

    /// <summary>Sizes from the arguments.</summary>
    private static LstmShape ShapeOf(Tensor x, Tensor inputWeight, int[]? lengths, bool isReverse)
        => new((int)x.Sizes()[0], (int)x.Sizes()[1], (int)x.Sizes()[2], (int)inputWeight.Sizes()[0] / 4, lengths, isReverse);

    /// <summary>Result and tape: inputs, states, gates, memories.</summary>
    private static (Tensor Y, Tensor[] Tape) Run(LstmShape shape, Tensor x, Tensor hidden, Tensor memory, Tensor inputWeight, Tensor stateWeight, Tensor? inputBias, Tensor? stateBias)
    {
        using var scope = NewDisposeScope();
        var input = x.stride(2) == 1 && x.stride(1) == shape.Inputs ? x : x.contiguous(); // outputs of the layer below are part of its result
        var rows = (long)shape.Chunks * shape.ChunkRows;
        Tensor[] tape =
        [
            torch.empty([shape.Time * rows * shape.PaddedInputs], ScalarType.BFloat16),
            torch.empty([shape.Time * rows * shape.PaddedHidden], ScalarType.BFloat16),
            torch.empty([shape.Time * rows * shape.Gates], ScalarType.BFloat16),
            torch.empty([(shape.Time + 1L) * rows * shape.Hidden]),
        ];
        var bias = inputBias is null ? torch.zeros([shape.Gates]) : inputBias + stateBias!;
        var y = torch.empty([shape.Batch, shape.Time + 2, shape.Hidden]);
        LstmForward.Run(
            shape,
            new(TensorMemory.Address(input.select(0, 0)), input.dtype == ScalarType.BFloat16, input.stride(0), TensorMemory.Address(inputWeight), TensorMemory.Address(stateWeight), TensorMemory.Address(bias),
                TensorMemory.Address(hidden.to_type(ScalarType.Float32).contiguous()), TensorMemory.Address(memory.to_type(ScalarType.Float32).contiguous())),
            TapeOf(tape),
            TensorMemory.Address(y));
        return (y.MoveToOuterDisposeScope(), Array.ConvertAll(tape, part => part.MoveToOuterDisposeScope()));
    }

    private static LstmTape TapeOf(IReadOnlyList<Tensor> tape)
        => new(TensorMemory.Address(tape[0]), TensorMemory.Address(tape[1]), TensorMemory.Address(tape[2]), TensorMemory.Address(tape[3]));
}

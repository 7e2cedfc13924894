namespace Nabla.Core.Kernels;

/// <summary>
/// One direction of one LSTM layer as an autograd function. Arguments: x, initial state and memory, weights of inputs and state, both biases
/// (or null), lengths (or null), whether the sequence is read from its end. Result: outputs, final state and final memory,
/// <c>[batch, time + 2, hidden]</c>, float32.
/// </summary>
internal sealed class LstmFunction : autograd.SingleTensorFunction<LstmFunction>
{
    private const int Arguments = 9;
    private const string Given = "given";

    private sealed record Facts(LstmShape Shape, bool NeedsInputGradient, bool HasBias);

    public override string Name => nameof(LstmFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.set_materialize_grads(false);
        var (x, bias) = ((Tensor)vars[0], (Tensor?)vars[5]);
        var shape = ShapeOf(x, (Tensor)vars[3], (int[]?)vars[7], (bool)vars[8]);
        var (y, tape) = Run(shape, x, (Tensor)vars[1], (Tensor)vars[2], (Tensor)vars[3], (Tensor)vars[4], bias, (Tensor?)vars[6]);
        ctx.save_data(Given, new Facts(shape, x.requires_grad, bias is not null));
        ctx.save_for_backward([.. tape, (Tensor)vars[3], (Tensor)vars[4], .. bias is null ? Array.Empty<Tensor>() : [bias, (Tensor)vars[6]]]);
        return y;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, Arguments, (saved, cotangent) =>
        {
            var (shape, needsInputGradient, hasBias) = (Facts)ctx.get_data(Given);
            var gradient = cotangent.to_type(ScalarType.Float32).contiguous();
            var (hidden, memory) = (torch.empty([shape.Batch, shape.Hidden]), torch.empty([shape.Batch, shape.Hidden]));
            var (inputWeight, stateWeight, bias) = (torch.empty([shape.Gates, shape.Inputs]), torch.empty([shape.Gates, shape.Hidden]), torch.empty([shape.Gates]));
            var x = needsInputGradient ? torch.empty([shape.Batch, shape.Time, shape.Inputs]) : null;
            LstmBackward.Run(shape, TensorMemory.Address(saved[4]), TensorMemory.Address(saved[5]), TapeOf(saved), TensorMemory.Address(gradient),
                new(x is null ? 0 : TensorMemory.Address(x), TensorMemory.Address(inputWeight), TensorMemory.Address(stateWeight), TensorMemory.Address(bias), TensorMemory.Address(hidden), TensorMemory.Address(memory)));
            return
            [
                x, hidden, memory, DirectGradients.Deliver(saved[4], inputWeight), DirectGradients.Deliver(saved[5], stateWeight),
                hasBias ? DirectGradients.Deliver(saved[6], bias.clone()) : null, hasBias ? DirectGradients.Deliver(saved[7], bias) : null, null, null,
            ];
        });

    /// <summary>Sizes from the arguments.</summary>
    public static LstmShape ShapeOf(Tensor x, Tensor inputWeight, int[]? lengths, bool isReverse)
        => new((int)x.shape[0], (int)x.shape[1], (int)x.shape[2], (int)inputWeight.shape[0] / 4, lengths, isReverse);

    /// <summary>Result and tape: inputs, states, gates, memories.</summary>
    public static (Tensor Y, Tensor[] Tape) Run(LstmShape shape, Tensor x, Tensor hidden, Tensor memory, Tensor inputWeight, Tensor stateWeight, Tensor? inputBias, Tensor? stateBias)
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

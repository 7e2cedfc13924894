namespace Nabla.Core.Kernels;

/// <summary>A chain of linear layers with relu as one operation of the graph.</summary>
internal static class PerceptronFunction
{
    /// <summary>The output, <c>[batch, outputs]</c>.</summary>
    /// <param name="x">Input, <c>[batch, inputs]</c>.</param>
    /// <param name="weights">Weight of each layer.</param>
    /// <param name="biases">Bias of each layer, or null.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    public static Tensor Apply(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases, int[] widths)
    {
        var (batch, needsInputGradient) = ((int)x.size(0), x.requires_grad);
        Tensor[] parameters = [.. weights, .. biases.OfType<Tensor>()];
        bool[] hasBias = [.. biases.Select(bias => bias is not null)];
        var (y, tape) = Run(x, weights, biases, batch, widths, FusedNode.IsTracked([x, .. parameters]));
        using (tape)
        {
            // The tape has what is needed of the parameters; they are saved for libtorch to notice a change in between, which no step of the trainer makes.
            FusedNode.Attach(nameof(PerceptronFunction), y, [x], parameters, DirectGradients.AreExpected ? [tape] : [tape, .. parameters],
                (saved, cotangent) => Backward(saved[0], parameters, cotangent, batch, widths, hasBias, needsInputGradient));
        }
        return y;
    }

    /// <summary>Gradients of input, weights and those biases that there are.</summary>
    private static Tensor?[] Backward(Tensor tape, Tensor[] parameters, Tensor cotangent, int batch, int[] widths, bool[] hasBias, bool needsInputGradient)
    {
        var layers = hasBias.Length;
        var gradients = new Tensor?[1 + parameters.Length];
        nint[] weightGradients = new nint[layers], biasGradients = new nint[layers];
        gradients[0] = needsInputGradient ? torch.empty([batch, widths[0]]) : null;
        for (int layer = 0, next = 1 + layers; layer < layers; layer++)
        {
            var weight = torch.empty([widths[layer + 1], widths[layer]]);
            gradients[1 + layer] = weight;
            weightGradients[layer] = TensorMemory.Address(weight);
            if (hasBias[layer])
            {
                var bias = torch.empty([widths[layer + 1]]);
                gradients[next++] = bias;
                biasGradients[layer] = TensorMemory.Address(bias);
            }
        }
        var gradient = cotangent.to_type(ScalarType.Float32).contiguous();
        PerceptronKernel.Backward(batch, widths, TensorMemory.Address(tape), TensorMemory.Address(gradient), weightGradients, biasGradients,
            gradients[0] is { } inputGradient ? TensorMemory.Address(inputGradient) : 0);
        for (var i = 1; i < gradients.Length; i++)
        {
            gradients[i] = DirectGradients.Deliver(parameters[i - 1], gradients[i]!);
        }
        return gradients;
    }

    /// <summary>Output and tape.</summary>
    private static (Tensor Y, Tensor Tape) Run(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases, int batch, int[] widths, bool isTrained)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous();
        var y = torch.empty([batch, widths[^1]]);
        var tape = torch.empty([PerceptronKernel.TapeSize(batch, widths, isTrained)], ScalarType.BFloat16);
        nint[] weightAddresses = new nint[weights.Count], biasAddresses = new nint[weights.Count];
        for (var layer = 0; layer < weights.Count; layer++)
        {
            (weightAddresses[layer], biasAddresses[layer]) = (TensorMemory.Address(weights[layer]), biases[layer] is { } bias ? TensorMemory.Address(bias) : 0);
        }
        PerceptronKernel.Forward(batch, widths, TensorMemory.Address(input), weightAddresses, biasAddresses, TensorMemory.Address(tape), TensorMemory.Address(y), isTrained, x.requires_grad);
        return (y.MoveToOuterDisposeScope(), tape.MoveToOuterDisposeScope());
    }
}

namespace Nabla.Core.Kernels;

/// <summary>A chain of linear layers with relu as an autograd function. Arguments: x, then weight and bias (or null) of each layer.</summary>
internal sealed class PerceptronFunction : autograd.SingleTensorFunction<PerceptronFunction>
{
    private const string Given = "given";

    private sealed record Shape(int Batch, int[] Widths, bool[] HasBias, bool NeedsInputGradient);

    public override string Name => nameof(PerceptronFunction);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        ctx.set_materialize_grads(false);
        var x = (Tensor)vars[0];
        var layers = (vars.Length - 1) / 2;
        var (weights, biases) = (new Tensor[layers], new Tensor?[layers]);
        for (var layer = 0; layer < layers; layer++)
        {
            (weights[layer], biases[layer]) = ((Tensor)vars[1 + (2 * layer)], (Tensor?)vars[2 + (2 * layer)]);
        }
        var shape = new Shape((int)x.size(0), Widths(weights), Array.ConvertAll(biases, bias => bias is not null), x.requires_grad);
        var (y, tape) = Run(x, weights, biases, shape.Batch, shape.Widths);
        ctx.save_data(Given, shape);
        ctx.save_for_backward([tape, .. weights, .. biases.OfType<Tensor>()]);
        return y;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        => FusedFunction.Backward(Name, ctx, grad_output, 1 + (2 * ((Shape)ctx.get_data(Given)).HasBias.Length), (saved, cotangent) =>
        {
            var shape = (Shape)ctx.get_data(Given);
            var layers = shape.HasBias.Length;
            var gradients = new Tensor?[1 + (2 * layers)];
            gradients[0] = shape.NeedsInputGradient ? torch.empty([shape.Batch, shape.Widths[0]]) : null;
            nint[] weights = new nint[layers], weightGradients = new nint[layers], biasGradients = new nint[layers];
            for (var layer = 0; layer < layers; layer++)
            {
                var (weight, bias) = (torch.empty([shape.Widths[layer + 1], shape.Widths[layer]]), shape.HasBias[layer] ? torch.empty([shape.Widths[layer + 1]]) : null);
                (gradients[1 + (2 * layer)], gradients[2 + (2 * layer)]) = (weight, bias);
                (weights[layer], weightGradients[layer], biasGradients[layer]) = (TensorMemory.Address(saved[1 + layer]), TensorMemory.Address(weight), bias is null ? 0 : TensorMemory.Address(bias));
            }
            var gradient = cotangent.to_type(ScalarType.Float32).contiguous();
            PerceptronKernel.Backward(shape.Batch, shape.Widths, TensorMemory.Address(saved[0]), weights, TensorMemory.Address(gradient), weightGradients, biasGradients,
                gradients[0] is { } inputGradient ? TensorMemory.Address(inputGradient) : 0);
            var bias0 = 1 + layers;
            for (var layer = 0; layer < layers; layer++)
            {
                gradients[1 + (2 * layer)] = DirectGradients.Deliver(saved[1 + layer], gradients[1 + (2 * layer)]!);
                if (gradients[2 + (2 * layer)] is { } biasGradient)
                {
                    gradients[2 + (2 * layer)] = DirectGradients.Deliver(saved[bias0++], biasGradient);
                }
            }
            return gradients;
        });

    /// <summary>Output and tape.</summary>
    public static (Tensor Y, Tensor Tape) Run(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases, int batch, int[] widths)
    {
        using var scope = NewDisposeScope();
        var input = x.contiguous();
        var y = torch.empty([batch, widths[^1]]);
        var tape = torch.empty([PerceptronKernel.TapeSize(batch, widths)], ScalarType.BFloat16);
        nint[] weightAddresses = new nint[weights.Count], biasAddresses = new nint[weights.Count];
        for (var layer = 0; layer < weights.Count; layer++)
        {
            (weightAddresses[layer], biasAddresses[layer]) = (TensorMemory.Address(weights[layer]), biases[layer] is { } bias ? TensorMemory.Address(bias) : 0);
        }
        PerceptronKernel.Forward(batch, widths, TensorMemory.Address(input), weightAddresses, biasAddresses, TensorMemory.Address(tape), TensorMemory.Address(y));
        return (y.MoveToOuterDisposeScope(), tape.MoveToOuterDisposeScope());
    }

    /// <summary>Width of the input and of each layer's output.</summary>
    public static int[] Widths(IReadOnlyList<Tensor> weights) => [(int)weights[0].size(1), .. weights.Select(weight => (int)weight.size(0))];
}

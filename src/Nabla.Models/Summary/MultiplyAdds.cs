namespace Nabla.Models;

/// <summary>Multiply-adds of one call of a module, those of its parts excluded. Additions alone, activations, pooling and look-ups count as 0.</summary>
internal static class MultiplyAdds
{
    public static long Of(Module module, ForwardCall call) => module switch
    {
        IOwnOperations own => own.OwnMultiplyAdds(call.Inputs, call.Outputs),
        Linear linear => Size(call.Outputs) * linear.weight!.Sizes()[1],
        MultiHeadAttention attention => Attention(attention, call),
        Recurrent => Steps(call) * MatrixSize(module),
        ConvTranspose1d convolution => Transposed(convolution.weight!, call),
        ConvTranspose2d convolution => Transposed(convolution.weight!, call),
        ConvTranspose3d convolution => Transposed(convolution.weight!, call),
        ConvolutionLayer convolution => Convolution(convolution.Weight, call),
        Conv1d convolution => Convolution(convolution.weight!, call),
        Conv2d convolution => Convolution(convolution.weight!, call),
        Conv3d convolution => Convolution(convolution.weight!, call),
        LSTM _ or GRU _ or RNN _ => Steps(call) * MatrixSize(module),
        BatchNorm1d _ or BatchNorm2d _ or BatchNorm3d _ or LayerNorm _ or GroupNorm _ or BatchNormalization _ or RmsNorm _
            => 2 * Size(call.Outputs), // normalise, then scale and shift
        _ => 0,
    };

    /// <summary>Each output value is a product with one filter, <c>[out, in / groups, ...]</c>.</summary>
    private static long Convolution(Tensor weight, ForwardCall call) => Size(call.Outputs) * (weight.numel() / weight.Sizes()[0]);

    /// <summary>Each input value is spread over one filter, <c>[in, out / groups, ...]</c>.</summary>
    private static long Transposed(Tensor weight, ForwardCall call) => Size(call.Inputs) * (weight.numel() / weight.Sizes()[0]);

    /// <summary>Scores of every pair of steps, and the mixture of values; a causal mask saves none of them in this count.</summary>
    private static long Attention(MultiHeadAttention attention, ForwardCall call)
    {
        var (batch, time) = (call.Inputs[0][0], call.Inputs[0][1]);
        var width = attention.named_parameters().Single(named => named.name == "output.weight").parameter.Sizes()[1]; // heads * headSize
        return 2 * batch * time * time * width;
    }

    /// <summary>Rows times time steps of a recurrent layer's first input, <c>[batch, time, features]</c> in either order.</summary>
    private static long Steps(ForwardCall call) => call.Inputs[0] is [var first, var second, _] ? first * second : call.Inputs[0][0];

    private static long MatrixSize(Module module) => module.parameters().Where(parameter => parameter.ndim == 2).Sum(parameter => parameter.numel());

    private static long Size(IReadOnlyList<long[]> shapes) => shapes.Count == 0 ? 0 : shapes[0].Aggregate(1L, (product, size) => product * size);
}

using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>
/// A chain of linear layers with relu between them as one operation. In mixed precision on a processor with matrix tiles, small chains run
/// there without the cost of some seventy single operations a step; everywhere else they are the plain operations.
/// </summary>
public static class PerceptronOps
{
    /// <summary>Larger layers are shared among threads by libtorch's own products, which then cost more than the calls around them.</summary>
    private const long MostMultiplyAdds = 256L << 20;

    /// <summary><c>linear(relu(linear(... relu(linear(x)))))</c>.</summary>
    /// <param name="x"><c>[batch, inputs]</c>.</param>
    /// <param name="weights">Weight of each layer, <c>[outputs, inputs]</c>, at least one.</param>
    /// <param name="biases">Bias of each layer, <c>[outputs]</c>, or null.</param>
    /// <returns><c>[batch, outputs of the last layer]</c>, float32 where the fused kernel ran.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Run(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(biases);
        ArgumentOutOfRangeException.ThrowIfZero(weights.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(biases.Count, weights.Count);
        if (x.dim() != 2 || x.size(1) != weights[0].size(-1))
        {
            throw new ShapeException("PerceptronOps.Run", nameof(x), $"[batch, inputs={weights[0].Sizes()[^1]}]", x.Sizes());
        }
        return Widths(x, weights, biases) is { } widths ? PerceptronFunction.Apply(x, weights, biases, widths) : Plain(x, weights, biases);
    }

    private static Tensor Plain(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases)
    {
        using var scope = NewDisposeScope();
        var y = nn.functional.linear(x, weights[0], biases[0]!);
        for (var layer = 1; layer < weights.Count; layer++)
        {
            y = nn.functional.linear(y.relu_(), weights[layer], biases[layer]!);
        }
        return y.MoveToOuterDisposeScope();
    }

    /// <summary>Width of the input and of each layer's output; null where the fused kernel cannot take the chain.</summary>
    private static int[]? Widths(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases)
    {
        if (!FusedOperations.AreEnabled || !TileProduct.IsAvailable || Autocast.TypeOn(DeviceType.CPU) != ScalarType.BFloat16
            || x.dtype != ScalarType.Float32 || !TensorMemory.Fits(x))
        {
            return null;
        }
        var (batch, work, widths) = (x.size(0), 0L, new int[weights.Count + 1]);
        widths[0] = (int)x.size(1);
        for (var layer = 0; layer < weights.Count; layer++)
        {
            var inputs = widths[layer];
            if (!DenseMemory.TryFind(weights[layer], ScalarType.Float32, out _, out var count) || weights[layer].dim() != 2 || weights[layer].size(1) != inputs)
            {
                return null;
            }
            var outputs = count / inputs;
            if (outputs == 0 || (biases[layer] is { } bias && (!DenseMemory.TryFind(bias, ScalarType.Float32, out _, out var own) || own != outputs)))
            {
                return null;
            }
            work += batch * count;
            if (work > MostMultiplyAdds)
            {
                return null;
            }
            widths[layer + 1] = (int)outputs;
        }
        return widths;
    }
}

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
            throw new ShapeException("PerceptronOps.Run", nameof(x), $"[batch, inputs={weights[0].shape[^1]}]", x.shape);
        }
        if (!CanFuse(x, weights, biases))
        {
            return Plain(x, weights, biases);
        }
        return PerceptronFunction.Apply(x, weights, biases);
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

    private static bool CanFuse(Tensor x, IReadOnlyList<Tensor> weights, IReadOnlyList<Tensor?> biases)
    {
        if (!FusedOperations.AreEnabled || !TileProduct.IsAvailable || x.device_type != DeviceType.CPU || Autocast.TypeOn(DeviceType.CPU) != ScalarType.BFloat16 || !IsPlain(x) || x.numel() == 0)
        {
            return false;
        }
        var (batch, inputs, work) = (x.size(0), x.size(1), 0L);
        for (var layer = 0; layer < weights.Count; layer++)
        {
            var weight = weights[layer];
            if (!IsPlain(weight) || weight.dim() != 2 || !weight.is_contiguous() || weight.size(1) != inputs)
            {
                return false;
            }
            var outputs = weight.size(0);
            if (biases[layer] is { } bias && (!IsPlain(bias) || !bias.is_contiguous() || bias.numel() != outputs))
            {
                return false;
            }
            work += batch * inputs * outputs;
            inputs = outputs;
        }
        return work <= MostMultiplyAdds;
    }

    private static bool IsPlain(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU && !tensor.is_sparse;
}

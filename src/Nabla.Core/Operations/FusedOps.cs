using Nabla.Core.Kernels;

namespace Nabla.Core;

/// <summary>
/// Several operations in one pass over memory, written in .NET vector instructions, with their own backward pass. On tensors that the kernels
/// cannot take (another device, another type, gradients or <see cref="FusedOperations"/> switched off) the same is computed by libtorch, operation by operation. Dropout masks are
/// those of <see cref="FastDropout"/>: both ways drop the same entries under the same seed, for any number of threads. Thread-safe.
/// </summary>
public static class FusedOps
{
    /// <summary>Whether training on <paramref name="x"/> would use the kernels.</summary>
    /// <param name="x">The input of a block.</param>
    public static bool Support(Tensor x)
    {
        ArgumentNullException.ThrowIfNull(x);
        return FusedOperations.AreEnabled && x.dtype == ScalarType.Float32 && TensorMemory.Fits(x) && is_grad_enabled() && ComputeType(x) is not ScalarType.Float16;
    }

    /// <summary>Layer normalisation of the last axis. Source: Ba et al. (2016), arXiv:1607.06450.</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <param name="weight"><c>[features]</c>.</param>
    /// <param name="bias"><c>[features]</c>.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="isForProduct">Whether only matrix products read the result: under autocast it is then made in their type at once.</param>
    /// <returns><c>[..., features]</c>.</returns>
    public static Tensor LayerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon, bool isForProduct)
    {
        ArgumentNullException.ThrowIfNull(weight);
        ArgumentNullException.ThrowIfNull(bias);
        if (!Support(x) || !IsPlain(weight) || !IsPlain(bias) || weight.numel() != x.shape[^1])
        {
            return nn.functional.layer_norm(x, [x.shape[^1]], weight, bias, epsilon);
        }
        using var scope = NewDisposeScope();
        return LayerNormFunction.apply(x, weight, bias, epsilon, isForProduct ? ComputeType(x) : ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>The end of a residual branch, <c>x + dropout(branch + bias)</c>.</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <param name="branch">The same shape.</param>
    /// <param name="bias"><c>[features]</c>, or null.</param>
    /// <param name="dropout">Chance of dropping an entry, in [0, 1).</param>
    /// <returns><c>[..., features]</c>.</returns>
    public static Tensor AddBranch(Tensor x, Tensor branch, Tensor? bias, double dropout)
    {
        ArgumentNullException.ThrowIfNull(branch);
        using var scope = NewDisposeScope();
        if (!Support(x) || branch.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || !TensorMemory.Fits(branch) || !x.shape.AsSpan().SequenceEqual(branch.shape) || (bias is not null && !IsPlain(bias)))
        {
            return (x + FastDropout.Apply(bias is null ? branch : branch + bias.to_type(branch.dtype), dropout)).MoveToOuterDisposeScope();
        }
        return BranchFunction.apply(x, branch, bias!, dropout).MoveToOuterDisposeScope();
    }

    /// <summary>Whether <see cref="Activate"/> has a kernel for an activation.</summary>
    /// <param name="activation">Its name, as in recipes.</param>
    public static bool HasActivation(string activation) => Find(activation) is not null;

    /// <summary>An activation and dropout behind it, <c>dropout(activation(x + bias))</c>.</summary>
    /// <param name="x"><c>[..., features]</c>.</param>
    /// <param name="bias"><c>[features]</c>, or null.</param>
    /// <param name="activation">relu, gelu, gelu-tanh or silu.</param>
    /// <param name="dropout">Chance of dropping an entry, in [0, 1).</param>
    /// <returns><c>[..., features]</c>, of the type of <paramref name="x"/>.</returns>
    /// <exception cref="ArgumentException">The activation is another.</exception>
    public static Tensor Activate(Tensor x, Tensor? bias, string activation, double dropout)
    {
        ArgumentNullException.ThrowIfNull(x);
        var known = Find(activation) ?? throw new ArgumentException($"FusedOps.Activate: expected relu, gelu, gelu-tanh or silu, got '{activation}'.", nameof(activation));
        using var scope = NewDisposeScope();
        if (FusedOperations.AreEnabled && x.dtype is ScalarType.Float32 or ScalarType.BFloat16 && TensorMemory.Fits(x) && is_grad_enabled() && (bias is null || IsPlain(bias)))
        {
            return ActivationFunction.apply(x, bias!, known, dropout).MoveToOuterDisposeScope();
        }
        var y = bias is null ? x : x + bias.to_type(x.dtype);
        y = known switch
        {
            FusedActivation.Relu => nn.functional.relu(y),
            FusedActivation.Silu => nn.functional.silu(y),
            FusedActivation.GeluTanh => nn.functional.gelu(y, TorchSharp.Modules.GELU.Approximate.tanh),
            _ => nn.functional.gelu(y),
        };
        return FastDropout.Apply(y, dropout).MoveToOuterDisposeScope();
    }

    /// <summary>The type that a matrix product of float32 tensors runs in here and now.</summary>
    internal static ScalarType ComputeType(Tensor x) => x.dtype == ScalarType.Float32 ? Autocast.TypeOn(x.device_type) : x.dtype;

    private static bool IsPlain(Tensor parameter) => parameter.dtype == ScalarType.Float32 && parameter.device_type == DeviceType.CPU && parameter.is_contiguous();

    private static FusedActivation? Find(string activation) => activation switch
    {
        "relu" => FusedActivation.Relu,
        "gelu" => FusedActivation.Gelu,
        "gelu-tanh" => FusedActivation.GeluTanh,
        "silu" => FusedActivation.Silu,
        _ => null,
    };
}

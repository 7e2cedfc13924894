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
        if (!Support(x) || !IsPlain(weight) || !IsPlain(bias) || weight.numel() != x.Sizes()[^1])
        {
            return nn.functional.layer_norm(x, [x.Sizes()[^1]], weight, bias, epsilon);
        }
        using var scope = NewDisposeScope();
        return LayerNormFunction.Apply(x, weight, bias, epsilon, isForProduct ? ComputeType(x) : ScalarType.Float32).MoveToOuterDisposeScope();
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
        if (!Support(x) || branch.dtype is not (ScalarType.Float32 or ScalarType.BFloat16) || !TensorMemory.Fits(branch) || !x.Sizes().AsSpan().SequenceEqual(branch.Sizes()) || (bias is not null && !IsPlain(bias)))
        {
            return (x + FastDropout.Apply(bias is null ? branch : branch + bias.to_type(branch.dtype), dropout)).MoveToOuterDisposeScope();
        }
        return BranchFunction.Apply(x, branch, bias, dropout).MoveToOuterDisposeScope();
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
            return ActivationFunction.Apply(x, bias, known, dropout).MoveToOuterDisposeScope();
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

    /// <summary>Whether <see cref="SelfAttention"/> or <see cref="CrossAttention"/> has a kernel for the projections of its inputs, if they are trained.</summary>
    /// <param name="x">The input of the queries' projection, <c>[batch, time, features]</c>.</param>
    /// <param name="keys">How many keys each query sees.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="dropout">Chance of dropping an attention weight, in [0, 1).</param>
    public static bool SupportsAttention(Tensor x, long keys, int heads, double dropout)
    {
        ArgumentNullException.ThrowIfNull(x);
        return FusedOperations.AreEnabled && is_grad_enabled() && TensorMemory.Fits(x) && x.Sizes() is [var batch, var time, _] && SafeOps.PrefersFused(ComputeType(x), batch * heads * time * keys, dropout);
    }

    /// <summary>
    /// Self-attention from the packed projection of queries, keys and values, before its bias, to the merged heads. Null where there is no kernel for
    /// it: compute it by <see cref="SafeOps.ScaledDotProductAttention"/>.
    /// </summary>
    /// <param name="packed"><c>[batch, time, 3 * heads * headSize]</c>: all queries, all keys, all values.</param>
    /// <param name="bias"><c>[3 * heads * headSize]</c>, or null.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="mask">As of <see cref="SafeOps.ScaledDotProductAttention"/>, without a gradient of its own; null: all is real.</param>
    /// <param name="dropout">Chance of dropping an attention weight, in [0, 1).</param>
    /// <param name="isCausal">Whether a step sees only itself and what came before.</param>
    /// <returns><c>[batch, time, heads * headSize]</c>, or null.</returns>
    /// <exception cref="ShapeException">The packed tensor has not three axes, or its last is no multiple of 3 times the heads.</exception>
    public static Tensor? SelfAttention(Tensor packed, Tensor? bias, int heads, Tensor? mask, double dropout, bool isCausal)
    {
        ArgumentNullException.ThrowIfNull(packed);
        if (packed.Sizes() is not [var batch, var time, var width] || heads < 1 || width % (3L * heads) != 0)
        {
            throw new ShapeException("FusedOps.SelfAttention", nameof(packed), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[batch, time, a multiple of 3 * heads={3 * heads}]"), packed.Sizes());
        }
        CheckParts("FusedOps.SelfAttention", bias, mask, width, [batch, heads, time, time]);
        if (!CanAttend(packed, bias, mask, batch * heads * time * time, dropout))
        {
            return null;
        }
        using var scope = NewDisposeScope();
        var call = new AttentionCall(packed.dtype, heads, dropout, 1 / Math.Sqrt(width / (3.0 * heads)), isCausal);
        return PackedAttentionFunction.Apply(packed, bias, SafeOps.Added(mask, time), call).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Cross-attention from the projections of queries, and of keys and values, before their bias, to the merged heads. Null where there is no kernel
    /// for it: compute it by <see cref="SafeOps.ScaledDotProductAttention"/>.
    /// </summary>
    /// <param name="query"><c>[batch, queryTime, heads * headSize]</c>.</param>
    /// <param name="memory"><c>[batch, keyTime, 2 * heads * headSize]</c>: all keys, all values.</param>
    /// <param name="bias"><c>[3 * heads * headSize]</c>, of queries, keys and values, or null.</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="mask">As for <see cref="SelfAttention"/>.</param>
    /// <param name="dropout">Chance of dropping an attention weight, in [0, 1).</param>
    /// <returns><c>[batch, queryTime, heads * headSize]</c>, or null.</returns>
    /// <exception cref="ShapeException">The shapes do not fit each other.</exception>
    public static Tensor? CrossAttention(Tensor query, Tensor memory, Tensor? bias, int heads, Tensor? mask, double dropout)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(memory);
        if (query.Sizes() is not [var batch, var queries, var width] || heads < 1 || width % heads != 0)
        {
            throw new ShapeException("FusedOps.CrossAttention", nameof(query), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[batch, queryTime, a multiple of heads={heads}]"), query.Sizes());
        }
        if (memory.Sizes() is not [var memories, var keys, var both] || memories != batch || both != 2 * width)
        {
            throw new ShapeException("FusedOps.CrossAttention", nameof(memory), string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[batch={batch}, keyTime, {2 * width}]"), memory.Sizes());
        }
        CheckParts("FusedOps.CrossAttention", bias, mask, 3 * width, [batch, heads, queries, keys]);
        if (!CanAttend(query, bias, mask, batch * heads * queries * keys, dropout) || memory.dtype != query.dtype || !TensorMemory.Fits(memory))
        {
            return null;
        }
        using var scope = NewDisposeScope();
        var call = new AttentionCall(query.dtype, heads, dropout, 1 / Math.Sqrt(width / (double)heads), IsCausal: false);
        return PackedAttentionFunction.Apply(query, memory, bias, SafeOps.Added(mask, keys), call).MoveToOuterDisposeScope();
    }

    private static void CheckParts(string where, Tensor? bias, Tensor? mask, long features, long[] scores)
    {
        if (bias is not null && bias.numel() != features)
        {
            throw new ShapeException(where, nameof(bias), $"[{features}]", bias.Sizes());
        }
        SafeOps.CheckMask(where, mask, scores);
    }

    private static bool CanAttend(Tensor packed, Tensor? bias, Tensor? mask, long scores, double dropout)
        => FusedOperations.AreEnabled && is_grad_enabled() && packed.requires_grad && ComputeType(packed) == packed.dtype && TensorMemory.Fits(packed) && (bias is null || IsPlain(bias))
            && SafeOps.PrefersFused(packed.dtype, scores, dropout) && mask?.requires_grad != true;

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

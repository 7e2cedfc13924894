using System.Numerics;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>What is done to gradients between the backward pass and the step: clipping, and the search for one that is not a number.</summary>
public static class Gradients
{
    /// <summary>
    /// Scales all gradients by <c>min(1, maximum / (norm + 1e-6))</c>, where norm is that of all of them as one vector (Pascanu et al., 2013).
    /// Nothing waits for the device. A norm that is NaN makes all gradients NaN, an infinite one makes them 0 or NaN: look at the returned
    /// norm before the step.
    /// </summary>
    /// <param name="parameters">Parameters; those without a gradient are passed over.</param>
    /// <param name="maximum">Largest allowed norm, at least 0.</param>
    /// <param name="order">Order of the norm, above 0, or infinity for the largest absolute entry. Default: 2.</param>
    /// <returns>The norm before clipping, <c>[]</c>, on the gradients' device; 0 when there is no gradient. The caller owns it.</returns>
    /// <exception cref="ShapeException">The infinity norm is asked for and a gradient is empty.</exception>
    public static Tensor ClipNorm(IEnumerable<Parameter> parameters, double maximum, double order = 2)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegative(maximum);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(order);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gradients = Of(parameters);
        if (gradients.Count == 0)
        {
            return zeros([]).MoveToOuterDisposeScope();
        }
        CheckEmpty(gradients, order, nameof(ClipNorm));
        if (SameKind(gradients) && FusedKernels.Support(gradients[0].device_type))
        {
            return FusedKernels.Invoke("clip_norm", gradients.ToArray(), maximum, order).MoveToOuterDisposeScope();
        }
        var device = gradients[0].device;
        var widest = gradients.Exists(gradient => gradient.dtype == ScalarType.Float64) ? ScalarType.Float64 : ScalarType.Float32;
        var norms = stack(gradients.Select(gradient => linalg.vector_norm(gradient, order).to(widest, device)));
        var total = linalg.vector_norm(norms, order);
        var factor = (Number.Of(maximum) / (total + Number.Of(1e-6))).clamp(max: Number.Of(1.0));
        foreach (var gradient in gradients)
        {
            gradient.mul_(factor.to(gradient.dtype, gradient.device));
        }
        return total.MoveToOuterDisposeScope();
    }

    /// <summary>The norm of all gradients as one vector; nothing is changed and nothing waits for the device.</summary>
    /// <param name="parameters">Parameters; those without a gradient are passed over.</param>
    /// <param name="order">Order of the norm, above 0, or infinity for the largest absolute entry. Default: 2.</param>
    /// <returns>The norm, <c>[]</c>, on the gradients' device; 0 when there is no gradient. The caller owns it.</returns>
    /// <exception cref="ShapeException">The infinity norm is asked for and a gradient is empty.</exception>
    public static Tensor Norm(IEnumerable<Parameter> parameters, double order = 2)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(order);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gradients = Of(parameters);
        if (gradients.Count == 0)
        {
            return zeros([]).MoveToOuterDisposeScope();
        }
        CheckEmpty(gradients, order, nameof(Norm));
        if (SameKind(gradients) && FusedKernels.Support(gradients[0].device_type))
        {
            return FusedKernels.Invoke("norm", gradients.ToArray(), order).MoveToOuterDisposeScope();
        }
        var widest = gradients.Exists(gradient => gradient.dtype == ScalarType.Float64) ? ScalarType.Float64 : ScalarType.Float32;
        return linalg.vector_norm(stack(gradients.Select(gradient => linalg.vector_norm(gradient, order).to(widest, gradients[0].device))), order).MoveToOuterDisposeScope();
    }

    /// <summary>Cuts every entry of every gradient to [-<paramref name="limit"/>, <paramref name="limit"/>]. NaN stays NaN.</summary>
    /// <param name="parameters">Parameters; those without a gradient are passed over.</param>
    /// <param name="limit">Largest allowed absolute value, at least 0.</param>
    public static void ClipValue(IEnumerable<Parameter> parameters, double limit)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        ArgumentOutOfRangeException.ThrowIfNegative(limit);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var gradient in Of(parameters))
        {
            gradient.clamp_(Number.Of(-limit), Number.Of(limit));
        }
    }

    /// <summary>
    /// Multiplies every gradient by a number. Accumulation over batches of unequal size: run backward on each mean loss times its weight
    /// (examples or tokens), then multiply by one over the sum of the weights; the mean of the means would be wrong.
    /// </summary>
    /// <param name="parameters">Parameters; those without a gradient are passed over.</param>
    /// <param name="factor">The factor.</param>
    public static void Multiply(IEnumerable<Parameter> parameters, double factor)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var gradients = Of(parameters);
        if (gradients.Count > 0 && SameKind(gradients) && FusedKernels.Support(gradients[0].device_type))
        {
            FusedKernels.Invoke("multiply", gradients.ToArray(), factor);
            return;
        }
        foreach (var gradient in gradients)
        {
            gradient.mul_(Number.Of(factor));
        }
    }

    /// <summary>The first parameter whose gradient holds a NaN or an infinity. Waits for the device, once.</summary>
    /// <param name="parameters">Parameters in the order in which they are looked at; those without a gradient are passed over.</param>
    /// <returns>Its name, or null when all are finite.</returns>
    public static string? FirstNonFinite(IEnumerable<NamedParameter> parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        using var scope = NewDisposeScope();
        if (TryFindNonFinite(parameters, out var first))
        {
            return first;
        }
        var named = parameters.Select(parameter => (parameter.Name, Gradient: parameter.Value.grad)).Where(pair => pair.Gradient is not null && pair.Gradient.numel() > 0).ToArray();
        if (named.Length == 0)
        {
            return null;
        }
        // The largest absolute entry is finite exactly when all entries are, and unlike a sum of squares it cannot overflow.
        var largest = stack(named.Select(pair => pair.Gradient!.detach().abs().max().to(ScalarType.Float64, CPU)));
        var finite = largest.isfinite().data<bool>();
        for (var i = 0; i < named.Length; i++)
        {
            if (!finite[i])
            {
                return named[i].Name;
            }
        }
        return null;
    }

    /// <summary>The search in memory, where all gradients lie in it as dense float32.</summary>
    private static unsafe bool TryFindNonFinite(IEnumerable<NamedParameter> parameters, out string? first)
    {
        first = null;
        foreach (var (name, parameter) in parameters)
        {
            switch (DenseMemory.FindGradient(parameter, ScalarType.Float32, out var address, out var count))
            {
                case GradientForm.Other:
                    return false;
                case GradientForm.Dense when first is null && !AreFinite((float*)address, count):
                    first = name;
                    break;
            }
        }
        return true;
    }

    private static unsafe bool AreFinite(float* values, long count)
    {
        var i = 0L;
        var sum = Vector<float>.Zero; // x - x is 0 for a finite x, else not a number, and that stays in the sum
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = Vector.Load(values + i);
            sum += value - value;
        }
        var rest = Vector.Sum(sum);
        for (; i < count; i++)
        {
            rest += values[i] - values[i];
        }
        return rest == 0;
    }

    private static void CheckEmpty(List<Tensor> gradients, double order, string method)
    {
        if (double.IsPositiveInfinity(order) && gradients.Find(gradient => gradient.numel() == 0) is { } empty)
        {
            throw new ShapeException($"Gradients.{method}", "parameters", "gradients with at least one entry (the infinity norm of none is not defined)", empty.Sizes(), "Leave empty parameters out, or use order 2.");
        }
    }

    /// <summary>Gradients of the parameters that have one, dense ones as they are. Call it inside a scope.</summary>
    internal static List<Tensor> Of(IEnumerable<Parameter> parameters)
    {
        var gradients = new List<Tensor>();
        foreach (var parameter in parameters)
        {
            if (parameter.grad is { } gradient)
            {
                gradients.Add(gradient);
            }
        }
        return gradients;
    }

    /// <summary>Whether kernels over lists can take these tensors together.</summary>
    internal static bool SameKind(List<Tensor> tensors)
        => tensors.TrueForAll(tensor => tensor.dtype == tensors[0].dtype && tensor.device_type == tensors[0].device_type && tensor.device_index == tensors[0].device_index && !tensor.is_sparse);
}

namespace Nabla.Core;

/// <summary>Calls of automatic differentiation that would end the process on misuse, with checks before.</summary>
public static class SafeAutograd
{
    /// <summary>
    /// Gradients of the sum of <paramref name="outputs"/> with respect to <paramref name="inputs"/>. Unlike <c>torch.autograd.grad</c>,
    /// an input that was not used gives null instead of ending the process.
    /// </summary>
    /// <param name="outputs">Scalars, or tensors with <paramref name="cotangents"/>; each requires a gradient.</param>
    /// <param name="inputs">Tensors that require a gradient.</param>
    /// <param name="cotangents">Gradient of each output, of its shape; null for scalars.</param>
    /// <param name="createGraph">Whether the gradients can be differentiated again.</param>
    /// <param name="retainGraph">Whether the outputs can be differentiated once more; always so with <paramref name="createGraph"/>.</param>
    /// <returns>One gradient for each input, of its shape, or null where it was not used. The caller owns them.</returns>
    /// <exception cref="ArgumentException">An output or input does not require a gradient.</exception>
    /// <exception cref="ShapeException">An output without cotangent is no scalar, or a cotangent has another shape.</exception>
    /// <exception cref="TrainingException">The backward pass of an own operation failed, such as one that cannot be differentiated again.</exception>
    public static IReadOnlyList<Tensor?> Gradients(
        IReadOnlyList<Tensor> outputs, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor>? cotangents = null, bool createGraph = false, bool retainGraph = false)
    {
        ArgumentNullException.ThrowIfNull(outputs);
        ArgumentNullException.ThrowIfNull(inputs);
        if (cotangents is not null && cotangents.Count != outputs.Count)
        {
            throw new ArgumentException($"SafeAutograd.Gradients: expected one cotangent for each of {outputs.Count} outputs, got {cotangents.Count}.", nameof(cotangents));
        }
        for (var i = 0; i < outputs.Count; i++)
        {
            if (!outputs[i].requires_grad)
            {
                throw new ArgumentException($"SafeAutograd.Gradients: output {i} does not depend on anything that requires a gradient.", nameof(outputs));
            }
            var expected = cotangents is null ? [] : outputs[i].Sizes();
            var actual = cotangents is null ? outputs[i].Sizes() : cotangents[i].Sizes();
            if (!expected.AsSpan().SequenceEqual(actual) && (cotangents is not null || outputs[i].numel() != 1))
            {
                throw new ShapeException("SafeAutograd.Gradients", nameof(cotangents), ShapeException.Format(expected), actual, "Give a cotangent of each output's shape, or reduce the output to a scalar.");
            }
        }
        for (var i = 0; i < inputs.Count; i++)
        {
            if (!inputs[i].requires_grad)
            {
                throw new ArgumentException($"SafeAutograd.Gradients: input {i} does not require a gradient; set requires_grad before the forward pass.", nameof(inputs));
            }
        }
        CallbackGuard.Begin();
#pragma warning disable RS0030 // The one guarded call.
        var gradients = autograd.grad([.. outputs], [.. inputs], cotangents is null ? null : [.. cotangents], retain_graph: createGraph || retainGraph, create_graph: createGraph, allow_unused: true);
#pragma warning restore RS0030
        Kernels.FusedNode.Release();
        Tensor?[] defined = [.. gradients.Select(Defined)];
        try
        {
            CallbackGuard.Current.ThrowIfCaught();
        }
        catch
        {
            foreach (var gradient in defined)
            {
                gradient?.Dispose();
            }
            throw;
        }
        return defined;
    }

    private static Tensor? Defined(Tensor? gradient)
    {
        if (gradient is { IsInvalid: true })
        {
            gradient.Dispose();
            return null;
        }
        return gradient;
    }
}

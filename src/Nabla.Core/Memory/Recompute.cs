namespace Nabla.Core;

/// <summary>
/// Trades time for memory: runs a part of a network without keeping its activations, and runs it again when the backward pass needs them.
/// Random numbers, autocast and buffers are brought back to what they were, so outputs and gradients have the same bits as without.
/// Source: Chen et al. (2016), "Training Deep Nets with Sublinear Memory Cost", arXiv:1604.06174.
/// </summary>
/// <remarks>
/// The part may use its inputs and the given parameters only: another tensor that it reaches through a captured variable gets no gradient,
/// and may have been freed when the part runs again. Gradients of gradients are refused. An error while running again is thrown by
/// <see cref="CallbackGuard.Backward"/>, or by <c>CallbackGuard.Current.ThrowIfCaught()</c> after a plain <c>backward()</c>.
/// </remarks>
public static class Recompute
{
    /// <summary>Runs a function of several tensors.</summary>
    /// <param name="function">From inputs to outputs; called once now and once in the backward pass. Its results are taken over.</param>
    /// <param name="inputs">Any shapes and types; floating ones that require a gradient get one.</param>
    /// <param name="parameters">What the function uses besides its inputs and what gets a gradient: leaves, such as a module's parameters.</param>
    /// <param name="buffers">What the function changes in place, such as running statistics: they change once, not twice. Null: nothing.</param>
    /// <returns>The function's outputs; the caller owns them.</returns>
    public static IReadOnlyList<Tensor> Run(
        Func<IReadOnlyList<Tensor>, IReadOnlyList<Tensor>> function, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor>? buffers = null)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(parameters);
        if (inputs.Count == 0)
        {
            throw new ArgumentException("Recompute.Run: expected at least one input, got none.", nameof(inputs));
        }
        var trained = parameters.Where(parameter => parameter.requires_grad).ToArray();
        if (!is_grad_enabled() || (trained.Length == 0 && !inputs.Any(input => input.requires_grad)))
        {
            return function(inputs);
        }
        using var scope = NewDisposeScope();
        var call = new RecomputeCall(function, inputs, trained, buffers ?? []);
        var outputs = call.Forward(inputs);
        var results = RecomputeFunction.apply([call, .. inputs, .. trained]);
        for (var i = 0; i < results.Count; i++)
        {
            results[i].MoveToOuterDisposeScope();
        }
        return results;
    }

    /// <summary>Runs a function of one tensor that changes nothing in place.</summary>
    /// <param name="function">From input to output; called once now and once in the backward pass.</param>
    /// <param name="input">Any shape.</param>
    /// <param name="parameters">What the function uses besides its input and what gets a gradient.</param>
    /// <returns>The function's output; the caller owns it.</returns>
    public static Tensor Run(Func<Tensor, Tensor> function, Tensor input, IReadOnlyList<Tensor> parameters)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Run(inputs => [function(inputs[0])], [input], parameters)[0];
    }

    /// <summary>Runs a module.</summary>
    /// <param name="block">The module; its parameters and buffers are taken from it.</param>
    /// <param name="input">Its input.</param>
    /// <returns>Its output; the caller owns it.</returns>
    public static Tensor Run(nn.Module<Tensor, Tensor> block, Tensor input)
    {
        ArgumentNullException.ThrowIfNull(block);
        return Run(inputs => [block.call(inputs[0])], [input], [.. block.parameters()], [.. block.buffers()])[0];
    }

    /// <summary>Runs a module that takes a second tensor, such as a mask.</summary>
    /// <param name="block">The module; its parameters and buffers are taken from it.</param>
    /// <param name="input">Its first input.</param>
    /// <param name="second">Its second input, or null.</param>
    /// <returns>Its output; the caller owns it.</returns>
    public static Tensor Run(nn.Module<Tensor, Tensor?, Tensor> block, Tensor input, Tensor? second)
    {
        ArgumentNullException.ThrowIfNull(block);
        return second is null
            ? Run(inputs => [block.call(inputs[0], null)], [input], [.. block.parameters()], [.. block.buffers()])[0]
            : Run(inputs => [block.call(inputs[0], inputs[1])], [input, second], [.. block.parameters()], [.. block.buffers()])[0];
    }
}

namespace Nabla.Core.Kernels;

/// <summary>
/// What our autograd functions share in their backward pass: errors are kept from native frames, saved tensors are let go at once, and the
/// managed handles of gradients do not pile up until the step ends.
/// </summary>
internal static class FusedFunction
{
    private const string Done = "done";

    [ThreadStatic]
    private static List<Tensor>? _handedOver;

    /// <summary>Runs a backward pass.</summary>
    /// <param name="name">The function, for messages.</param>
    /// <param name="context">Its context.</param>
    /// <param name="cotangent">Gradient of the result; disposed here.</param>
    /// <param name="arguments">Number of arguments of the function.</param>
    /// <param name="body">Gets the saved tensors and the gradient of the result, gives a gradient or null for each argument.</param>
    public static List<Tensor> Backward(
        string name, autograd.AutogradContext context, Tensor cotangent, int arguments, Func<IReadOnlyList<Tensor>, Tensor, Tensor?[]> body)
        => CallbackGuard.Current.Protect(() => Run(name, context, cotangent, arguments, body), () => [.. new Tensor[arguments]]);

    /// <summary>
    /// Lets go of the gradients that the last pass on this thread returned: native code shares them only after the callback has ended, so the next
    /// one, or the end of all, does it.
    /// </summary>
    public static void Release()
    {
        _handedOver?.ForEach(gradient => gradient.Dispose());
        _handedOver = null;
    }

    /// <summary>Whether a pass is possible.</summary>
    /// <param name="name">The function, for messages.</param>
    /// <param name="isDone">Whether there has been one.</param>
    public static void CheckPass(string name, bool isDone)
    {
        if (is_grad_enabled())
        {
            throw new TrainingException($"{name}: gradients of gradients cannot pass through a fused kernel. Run the forward pass under FusedOperations.Use(false).");
        }
        if (isDone)
        {
            throw new TrainingException($"{name}: the backward pass went through the same forward pass twice. Run the forward pass again, or run it under FusedOperations.Use(false), which keeps its tensors.");
        }
    }

    /// <summary>Keeps a gradient that a pass returns until <see cref="Release"/>.</summary>
    /// <param name="gradient">In the innermost scope.</param>
    public static Tensor HandOver(Tensor gradient)
    {
        (_handedOver ??= []).Add(gradient.MoveToOuterDisposeScope());
        return gradient;
    }

    private static List<Tensor> Run(string name, autograd.AutogradContext context, Tensor cotangent, int arguments, Func<IReadOnlyList<Tensor>, Tensor, Tensor?[]> body)
    {
        Release();
        if (cotangent is null || cotangent.IsInvalid)
        {
            return [.. new Tensor[arguments]];
        }
        CheckPass(name, context.get_data(Done) is not null);
        using var scope = NewDisposeScope();
        var saved = context.get_saved_variables();
        context.save_data(Done, true);
        context.Dispose(); // frees what was saved as soon as this pass no longer needs it
        var gradients = body(saved, cotangent);
        _handedOver = [.. gradients.OfType<Tensor>().Select(gradient => ReferenceEquals(gradient, cotangent) ? gradient : gradient.MoveToOuterDisposeScope())];
        if (!Array.Exists(gradients, gradient => ReferenceEquals(gradient, cotangent))) // Contains would compare all their entries
        {
            cotangent.Dispose();
        }
        return [.. gradients.Select(gradient => gradient!)]; // null: no gradient, as libtorch has it
    }
}

namespace Nabla.Core;

/// <summary>
/// Puts the gradients that own autograd functions computed for parameters straight into <c>grad</c>. Returned from a callback they would be
/// copied once more, because the callback still holds them. Only where the caller asked for all gradients of a loss to be accumulated:
/// <c>autograd.grad</c> must get them as results.
/// </summary>
public static class DirectGradients
{
    [ThreadStatic]
    private static int _allowed, _expected;

    /// <summary>Allows it on this thread until the result is disposed: around <c>loss.backward()</c> only.</summary>
    public static Scope Allow()
    {
        _allowed++;
        return new(isAllowed: true, isExpected: false);
    }

    /// <summary>
    /// Promises for the forward passes on this thread until the result is disposed that gradients of parameters will be asked for by a backward pass under
    /// <see cref="Allow"/> only. Own operations then leave leaves of the graph out of it, which libtorch would visit one by one to find nothing.
    /// </summary>
    public static Scope Expect()
    {
        _expected++;
        return new(isAllowed: false, isExpected: true);
    }

    /// <summary>Whether <see cref="Expect"/> holds.</summary>
    internal static bool AreExpected => _expected > 0;

    /// <summary>Hands a gradient over to a parameter.</summary>
    /// <param name="parameter">As the function saved it.</param>
    /// <param name="gradient">Its gradient, new, of its shape and type; taken over.</param>
    /// <returns>What the function returns for this argument: null when the gradient has been handed over.</returns>
    internal static Tensor? Deliver(Tensor parameter, Tensor gradient)
    {
        if (_allowed == 0 || !parameter.requires_grad || !parameter.is_leaf)
        {
            return gradient;
        }
        if (parameter.grad is { } sum)
        {
            sum.add_(gradient);
            sum.Dispose();
        }
        else
        {
            parameter.grad = gradient;
        }
        gradient.Dispose();
        return null;
    }

    /// <summary>Ends what <see cref="Allow"/> or <see cref="Expect"/> began; the default value does nothing.</summary>
    public readonly ref struct Scope
    {
        private readonly bool _isAllowed, _isExpected;

        internal Scope(bool isAllowed, bool isExpected) => (_isAllowed, _isExpected) = (isAllowed, isExpected);

        /// <summary>Ends it.</summary>
        public void Dispose()
        {
            _allowed -= _isAllowed ? 1 : 0;
            _expected -= _isExpected ? 1 : 0;
        }
    }
}

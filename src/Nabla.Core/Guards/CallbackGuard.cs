using System.Runtime.ExceptionServices;

namespace Nabla.Core;

/// <summary>
/// Carries an exception out of a callback that native code calls (the backward pass of an own autograd function). Thrown there it
/// would end the process; kept here, it is thrown once the native call has returned. Thread-safe.
/// </summary>
public sealed class CallbackGuard
{
    private ExceptionDispatchInfo? _caught;

    [ThreadStatic]
    private static CallbackGuard? _current;

    [ThreadStatic]
    private static int _running; // callbacks on this thread

    /// <summary>
    /// The calling thread's guard. An own autograd function takes it in its forward pass and protects its backward pass by it, on whatever
    /// thread that runs (a GPU has one of its own); the thread that asked for both looks into it.
    /// </summary>
    public static CallbackGuard Current => _current ??= new();

    /// <summary>The backward pass of a scalar; an error of an own autograd function inside it is thrown here.</summary>
    /// <param name="loss">A scalar that requires a gradient.</param>
    public static void Backward(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        Begin();
        loss.backward();
        Kernels.FusedNode.Release();
        Current.ThrowIfCaught();
    }

    /// <summary>Runs the body of a callback; on an exception keeps it and gives <paramref name="substitute"/> to the native caller.</summary>
    /// <typeparam name="T">What the callback returns.</typeparam>
    /// <param name="body">The callback's work.</param>
    /// <param name="substitute">A value of the right form that lets the native code finish.</param>
    public T Protect<T>(Func<T> body, Func<T> substitute)
    {
        ArgumentNullException.ThrowIfNull(body);
        ArgumentNullException.ThrowIfNull(substitute);
        _running++;
        try
        {
            return body();
        }
#pragma warning disable CA1031 // Every exception must be kept from native frames; ThrowIfCaught gives it back whole.
        catch (Exception caught)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref _caught, ExceptionDispatchInfo.Capture(caught), null);
            return substitute();
        }
        finally
        {
            _running--;
        }
    }

    /// <summary>Before a pass: forgets what an earlier one left, but not what the pass has kept in whose callback this one runs.</summary>
    internal static void Begin()
    {
        if (_running == 0)
        {
            Current.Forget();
        }
    }

    /// <summary>Forgets what was kept, such as the error of a pass whose native call failed as well.</summary>
    public void Forget() => Interlocked.Exchange(ref _caught, null);

    /// <summary>Throws the first exception that was kept, with its own stack, and forgets it.</summary>
    public void ThrowIfCaught() => Interlocked.Exchange(ref _caught, null)?.Throw();
}

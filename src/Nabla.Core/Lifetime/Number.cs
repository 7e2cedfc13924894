namespace Nabla.Core;

/// <summary>
/// Numbers as arguments of tensor operations, held long enough. TorchSharp gives native code the address of a <see cref="Scalar"/> without keeping
/// the object alive; when another thread starts a collection in that moment, the finaliser may free a number that is still to be read. The
/// implicit conversions are therefore banned in this library (eng/BannedSymbols.txt). Thread-safe.
/// </summary>
/// <example><code>x.mul_(Number.Of(0.5))</code></example>
public static class Number
{
    /// <summary>Far more than one operation takes, so its numbers are still held when it returns.</summary>
    internal const int Held = 64;

    [ThreadStatic]
    private static Scalar?[]? _newest;

    [ThreadStatic]
    private static int _next;

    /// <summary>The number as an argument for the calling thread's next operation.</summary>
    /// <param name="value">The number, float64 where the operation's type is open.</param>
    public static Scalar Of(double value) => Hold(value.ToScalar());

    /// <inheritdoc cref="Of(double)"/>
    /// <param name="value">The number, float32 where the operation's type is open.</param>
    public static Scalar Of(float value) => Hold(value.ToScalar());

    /// <inheritdoc cref="Of(double)"/>
    /// <param name="value">The whole number: tensors of whole numbers stay so.</param>
    public static Scalar Of(long value) => Hold(value.ToScalar());

    /// <inheritdoc cref="Of(double)"/>
    /// <param name="value">The whole number: tensors of whole numbers stay so.</param>
    public static Scalar Of(int value) => Hold(value.ToScalar());

    /// <inheritdoc cref="Of(double)"/>
    /// <param name="value">The truth value.</param>
    public static Scalar Of(bool value) => Hold(value.ToScalar());

    // What is pushed out is left to the finaliser: a caller may have kept it for several operations.
    private static Scalar Hold(Scalar number)
    {
        _newest ??= new Scalar?[Held];
        _newest[_next] = number;
        _next = (_next + 1) % Held;
        return number;
    }
}

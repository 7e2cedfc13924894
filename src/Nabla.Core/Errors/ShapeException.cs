namespace Nabla.Core;

/// <summary>A tensor does not have the shape that an operation needs.</summary>
public sealed class ShapeException : ArgumentException
{
    /// <summary>Creates the error; its message reads <c>where: expected ..., got [...]. hint</c>.</summary>
    /// <param name="where">The operation, such as <c>MultiHeadAttention.forward</c>.</param>
    /// <param name="parameter">Name of the argument.</param>
    /// <param name="expected">The expected shape in the notation of docs/shapes.md, such as <c>[batch, time, features=512]</c>.</param>
    /// <param name="actual">The shape that came.</param>
    /// <param name="hint">What to do about it.</param>
    public ShapeException(string where, string parameter, string expected, ReadOnlySpan<long> actual, string? hint = null)
        : base($"{where}: expected {expected}, got {Format(actual)}.{(hint is null ? "" : " " + hint)}", parameter)
    {
        (Where, Expected, Actual) = (where, expected, actual.ToArray());
    }

    /// <summary>The operation that was called.</summary>
    public string Where { get; }

    /// <summary>The expected shape.</summary>
    public string Expected { get; }

    /// <summary>The shape that came.</summary>
    public IReadOnlyList<long> Actual { get; }

    /// <summary>Writes a shape as <c>[2, 3]</c>.</summary>
    /// <param name="shape">The sizes.</param>
    public static string Format(ReadOnlySpan<long> shape)
    {
        var parts = new string[shape.Length];
        for (var i = 0; i < shape.Length; i++)
        {
            parts[i] = shape[i].ToString(System.Globalization.CultureInfo.InvariantCulture);
        }
        return $"[{string.Join(", ", parts)}]";
    }
}

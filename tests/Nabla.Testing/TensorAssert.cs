using System.Globalization;

namespace Nabla.Testing;

/// <summary>Compares tensors with a named tolerance; a failure shows the largest deviation, where it is, and both numbers.</summary>
public static class TensorAssert
{
    /// <summary>
    /// Passes when shapes are equal and every entry satisfies <c>|actual - expected| &lt;= absolute + relative * |expected|</c>.
    /// NaN equals NaN, and infinities must agree in sign.
    /// </summary>
    /// <param name="expected">The reference.</param>
    /// <param name="actual">What came.</param>
    /// <param name="absolute">Absolute tolerance.</param>
    /// <param name="relative">Tolerance as a share of the expected number.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Close(Tensor expected, Tensor actual, double absolute = 1e-5, double relative = 1e-5, string what = "tensor")
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        if (!expected.shape.AsSpan().SequenceEqual(actual.shape))
        {
            Fail($"{what}: expected shape {ShapeException.Format(expected.shape)}, got {ShapeException.Format(actual.shape)}.");
        }
        var (left, right) = (Doubles(expected), Doubles(actual));
        var (worst, excess, count) = (-1, double.NegativeInfinity, 0);
        for (var i = 0; i < left.Length; i++)
        {
            var over = Excess(left[i], right[i], absolute, relative);
            count += over > 0 ? 1 : 0;
            if (over > excess)
            {
                (worst, excess) = (i, over);
            }
        }
        if (count > 0)
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"""
                {what}: {count} of {left.Length} entries deviate by more than {absolute:g3} + {relative:g3} * |expected|.
                Worst at {Index(worst, expected.shape)}: expected {left[worst]:r}, got {right[worst]:r}, deviation {Math.Abs(left[worst] - right[worst]):g3}.
                """));
        }
    }

    /// <summary>Passes when shapes and every bit of the values are equal (NaN equals NaN).</summary>
    /// <param name="expected">The reference.</param>
    /// <param name="actual">What came.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Equal(Tensor expected, Tensor actual, string what = "tensor")
    {
        ArgumentNullException.ThrowIfNull(expected);
        ArgumentNullException.ThrowIfNull(actual);
        if (expected.dtype != actual.dtype)
        {
            Fail($"{what}: expected type {expected.dtype}, got {actual.dtype}.");
        }
        Close(expected, actual, 0, 0, what);
    }

    /// <summary>Passes when the shape is <paramref name="expected"/>.</summary>
    /// <param name="expected">The sizes.</param>
    /// <param name="actual">The tensor.</param>
    public static void HasShape(ReadOnlySpan<long> expected, Tensor actual)
    {
        ArgumentNullException.ThrowIfNull(actual);
        if (!expected.SequenceEqual(actual.shape))
        {
            Fail($"expected shape {ShapeException.Format(expected)}, got {ShapeException.Format(actual.shape)}.");
        }
    }

    /// <summary>Passes when no entry is NaN or infinite.</summary>
    /// <param name="actual">The tensor.</param>
    /// <param name="what">Named in the failure.</param>
    public static void Finite(Tensor actual, string what = "tensor")
    {
        var numbers = Doubles(actual);
        var at = Array.FindIndex(numbers, number => !double.IsFinite(number));
        if (at >= 0)
        {
            Fail(string.Create(CultureInfo.InvariantCulture, $"{what}: {numbers[at]} at {Index(at, actual.shape)}."));
        }
    }

    /// <summary>The entries as doubles, row by row.</summary>
    /// <param name="tensor">Any real, integer or boolean tensor on any device.</param>
    public static double[] Doubles(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        using var scope = NewDisposeScope();
        return tensor.numel() == 0 ? [] : tensor.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }

    private static double Excess(double expected, double actual, double absolute, double relative)
    {
        if (double.IsNaN(expected) || double.IsNaN(actual))
        {
            return double.IsNaN(expected) && double.IsNaN(actual) ? double.NegativeInfinity : double.PositiveInfinity;
        }
        if (double.IsInfinity(expected) || double.IsInfinity(actual))
        {
            return expected == actual ? double.NegativeInfinity : double.PositiveInfinity;
        }
        return Math.Abs(expected - actual) - absolute - (relative * Math.Abs(expected));
    }

    private static string Index(int flat, long[] shape)
    {
        var index = new long[shape.Length];
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            (index[axis], flat) = (flat % shape[axis], (int)(flat / shape[axis]));
        }
        return ShapeException.Format(index);
    }

    private static void Fail(string message) => Xunit.Assert.Fail(message);
}

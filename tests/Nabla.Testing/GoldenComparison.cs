namespace Nabla.Testing;

/// <summary>Compares results with golden ones at the tolerances of the golden README: 1e-10 in float64, and in float32 what torch itself reaches.</summary>
public static class GoldenComparison
{
    /// <summary>Reference precisions: float64 is the truth, float32 what torch gets.</summary>
    public static IReadOnlyList<ScalarType> Types { get; } = [ScalarType.Float64, ScalarType.Float32];

    /// <summary>Compares a result with the role's reference.</summary>
    /// <param name="golden">The case.</param>
    /// <param name="role">Such as <c>output</c> or <c>grad.x</c>.</param>
    /// <param name="actual">The result, float64 or float32.</param>
    /// <param name="rounding">Error that rounding alone explains in float32, such as that of an exponential of large scores.</param>
    public static void Compare(GoldenCase golden, string role, Tensor actual, double rounding = 0)
    {
        ArgumentNullException.ThrowIfNull(golden);
        ArgumentNullException.ThrowIfNull(actual);
        var isDouble = actual.dtype == ScalarType.Float64;
        using var truth = Reference(golden, role, "f64");
        if (isDouble)
        {
            TensorAssert.Close(truth, actual, 1e-10, 1e-10, $"{golden} {role} (float64)");
            return;
        }
        var error = golden.Json.Get("f32_error")?.Number(role, 0) ?? 0;
        if (double.IsInfinity(error))
        {
            // Float32 overflows in torch: either its own result or the true one is right.
            using var single = Reference(golden, role, "f32");
            Xunit.Assert.True(IsClose(single, actual, 1e-5) || IsClose(truth, actual, 1e-5), $"{golden} {role} (float32): neither torch's float32 result nor the true one.");
            return;
        }
        var tolerance = Math.Max(Math.Max(1e-5, rounding), 4 * error); // README: 1e-5 + 1e-5 |x|, and more where torch's own error is larger
        TensorAssert.Close(truth, actual, tolerance, tolerance, $"{golden} {role} (float32)");
    }

    private static Tensor Reference(GoldenCase golden, string role, string precision)
        => golden.Has($"{role}.{precision}") ? golden.Tensor($"{role}.{precision}") : golden.Tensor(role);

    private static bool IsClose(Tensor expected, Tensor actual, double tolerance)
    {
        try
        {
            TensorAssert.Close(expected, actual, tolerance, tolerance);
            return true;
        }
        catch (Xunit.Sdk.XunitException)
        {
            return false;
        }
    }
}

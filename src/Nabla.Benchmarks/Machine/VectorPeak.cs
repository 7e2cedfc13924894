using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nabla.Benchmarks;

/// <summary>
/// The float32 multiply-add rate of the vector units alone: chains of fused multiply-adds that never leave the registers, enough of them to
/// hide the latency of four cycles on two units.
/// </summary>
internal static class VectorPeak
{
    private const int Chains = 12, Loops = 200_000;

    /// <summary>Multiply-adds a second of all threads together.</summary>
    /// <param name="threads">Threads that compute at once.</param>
    /// <param name="seconds">About how long to measure.</param>
    public static double MultiplyAddsPerSecond(int threads, double seconds)
    {
        var lanes = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256.IsHardwareAccelerated ? Vector256<float>.Count : Vector128<float>.Count;
        return ParallelRate.Best(threads, seconds, () =>
        {
            var sum = lanes switch
            {
                16 => Run512(),
                8 => Run256(),
                _ => Run128(),
            };
            return float.IsNaN(sum) ? 0 : (double)Loops * Chains * lanes; // reading the sum keeps the loop from being removed
        });
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run512()
    {
        var (x, y) = (Vector512.Create(0.999f), Vector512.Create(1e-3f));
        Vector512<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var loop = 0; loop < Loops; loop++)
        {
            a = Vector512.FusedMultiplyAdd(a, x, y);
            b = Vector512.FusedMultiplyAdd(b, x, y);
            c = Vector512.FusedMultiplyAdd(c, x, y);
            d = Vector512.FusedMultiplyAdd(d, x, y);
            e = Vector512.FusedMultiplyAdd(e, x, y);
            f = Vector512.FusedMultiplyAdd(f, x, y);
            g = Vector512.FusedMultiplyAdd(g, x, y);
            h = Vector512.FusedMultiplyAdd(h, x, y);
            i = Vector512.FusedMultiplyAdd(i, x, y);
            j = Vector512.FusedMultiplyAdd(j, x, y);
            k = Vector512.FusedMultiplyAdd(k, x, y);
            l = Vector512.FusedMultiplyAdd(l, x, y);
        }
        return Vector512.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run256()
    {
        var (x, y) = (Vector256.Create(0.999f), Vector256.Create(1e-3f));
        Vector256<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var loop = 0; loop < Loops; loop++)
        {
            a = Vector256.FusedMultiplyAdd(a, x, y);
            b = Vector256.FusedMultiplyAdd(b, x, y);
            c = Vector256.FusedMultiplyAdd(c, x, y);
            d = Vector256.FusedMultiplyAdd(d, x, y);
            e = Vector256.FusedMultiplyAdd(e, x, y);
            f = Vector256.FusedMultiplyAdd(f, x, y);
            g = Vector256.FusedMultiplyAdd(g, x, y);
            h = Vector256.FusedMultiplyAdd(h, x, y);
            i = Vector256.FusedMultiplyAdd(i, x, y);
            j = Vector256.FusedMultiplyAdd(j, x, y);
            k = Vector256.FusedMultiplyAdd(k, x, y);
            l = Vector256.FusedMultiplyAdd(l, x, y);
        }
        return Vector256.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static float Run128()
    {
        var (x, y) = (Vector128.Create(0.999f), Vector128.Create(1e-3f));
        Vector128<float> a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var loop = 0; loop < Loops; loop++)
        {
            a = Vector128.FusedMultiplyAdd(a, x, y);
            b = Vector128.FusedMultiplyAdd(b, x, y);
            c = Vector128.FusedMultiplyAdd(c, x, y);
            d = Vector128.FusedMultiplyAdd(d, x, y);
            e = Vector128.FusedMultiplyAdd(e, x, y);
            f = Vector128.FusedMultiplyAdd(f, x, y);
            g = Vector128.FusedMultiplyAdd(g, x, y);
            h = Vector128.FusedMultiplyAdd(h, x, y);
            i = Vector128.FusedMultiplyAdd(i, x, y);
            j = Vector128.FusedMultiplyAdd(j, x, y);
            k = Vector128.FusedMultiplyAdd(k, x, y);
            l = Vector128.FusedMultiplyAdd(l, x, y);
        }
        return Vector128.Sum(a + b + c + d + e + f + g + h + i + j + k + l);
    }
}

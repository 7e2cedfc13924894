using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>The logistic function, tanh and powers of e on sixteen numbers at once (AVX-512), within a few units in the last place; NaN stays NaN.</summary>
internal static class GateFunctions
{
    /// <summary><c>1 / (1 + e^-x)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x)
    {
        // The second operand of these two comes through when it is not a number. Beyond 80 the result is 0 or 1 to all digits that count.
        var bounded = Avx512F.Max(Vector512.Create(-80f), Avx512F.Min(Vector512.Create(80f), -x));
        var denominator = Exp(bounded) + Vector512<float>.One;
        var guess = Avx512F.Reciprocal14(denominator);
        return guess * Avx512F.FusedMultiplyAddNegated(denominator, guess, Vector512.Create(2f)); // one step of Newton: 14 bits become 28
    }

    /// <summary>Hyperbolic tangent; its absolute error is that of the logistic function twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x) => Avx512F.FusedMultiplySubtract(Vector512.Create(2f), Sigmoid(x + x), Vector512<float>.One);

    /// <summary>e to the power x for x of at most 0; below -87 it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpOfNegative(Vector512<float> x)
    {
        var isTiny = Vector512.LessThan(x, Vector512.Create(-87f));
        return Vector512.AndNot(Exp(Avx512F.Max(Vector512.Create(-87f), x)), isTiny);
    }

    /// <summary>2^n times a polynomial of degree 6 on half a power of two (Cephes, Moshier 1989, expf.c); for [-87, 88].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp(Vector512<float> x)
    {
        var n = Avx512F.RoundScale(x * Vector512.Create(1.44269504f), 0); // to the nearest whole number
        var r = Avx512F.FusedMultiplyAdd(n, Vector512.Create(-0.693359375f), x);
        r = Avx512F.FusedMultiplyAdd(n, Vector512.Create(2.12194440e-4f), r);
        var p = Avx512F.FusedMultiplyAdd(Vector512.Create(1.9875691500e-4f), r, Vector512.Create(1.3981999507e-3f));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(8.3334519073e-3f));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(4.1665795894e-2f));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(1.6666665459e-1f));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(5.0000001201e-1f));
        return Avx512F.Scale(Avx512F.FusedMultiplyAdd(p, r * r, r) + Vector512<float>.One, n);
    }
}

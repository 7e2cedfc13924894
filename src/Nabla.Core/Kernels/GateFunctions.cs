using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>The logistic function and tanh on sixteen numbers at once (AVX-512), within a few units in the last place; NaN stays NaN.</summary>
internal static class GateFunctions
{
    /// <summary><c>1 / (1 + e^-x)</c>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x)
    {
        // The second operand of these two comes through when it is not a number. Beyond 80 the result is 0 or 1 to all digits that count.
        var bounded = Avx512F.Max(Vector512.Create(-80f), Avx512F.Min(Vector512.Create(80f), -x));
        var denominator = VectorRow.Exp(bounded) + Vector512<float>.One;
        var guess = Avx512F.Reciprocal14(denominator);
        return guess * Avx512F.FusedMultiplyAddNegated(denominator, guess, Vector512.Create(2f)); // one step of Newton: 14 bits become 28
    }

    /// <summary>Hyperbolic tangent; its absolute error is that of the logistic function twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x) => Avx512F.FusedMultiplySubtract(Vector512.Create(2f), Sigmoid(x + x), Vector512<float>.One);
}

using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Training;

/// <summary>
/// The step of Adam and AdamW on the CPU in one pass of vectors over parameter, gradient and moments, shared among threads in fixed pieces.
/// Each entry is computed by itself, so results do not depend on the pieces. Same formula and order of operations as libtorch's fused
/// kernel, except that AVX-512 takes square root and quotient from tables and a step of Newton's, right to the last bit or two.
/// </summary>
internal static unsafe class AdamKernel
{
    /// <summary>Entries in a piece: some 5 microseconds of work.</summary>
    public const int PieceSize = 1 << 13;

    /// <summary>Moves parameters.</summary>
    /// <param name="vectors">Addresses of parameters, gradients and state (first, second and perhaps largest second moment).</param>
    /// <param name="rate">Learning rate.</param>
    /// <param name="decay">Weight decay.</param>
    /// <param name="beta1">Decay of the first moment.</param>
    /// <param name="beta2">Decay of the second moment.</param>
    /// <param name="epsilon">Added to the denominator.</param>
    /// <param name="isDecoupled">AdamW's decay rather than Adam's.</param>
    /// <param name="maximize">Whether to go uphill.</param>
    public static void Step(VectorLists vectors, double rate, double decay, double beta1, double beta2, double epsilon, bool isDecoupled, bool maximize)
    {
        Constants constants = new(
            maximize ? -1f : 1f, isDecoupled ? (float)(1 - (rate * decay)) : 1f, isDecoupled ? 0f : (float)decay, (float)(1 - beta1), (float)beta2, (float)(1 - beta2), (float)epsilon);
        var corrections = new Corrections[vectors.Moving.Count];
        for (var i = 0; i < corrections.Length; i++)
        {
            var steps = vectors.Moving[i].Steps;
            corrections[i] = i > 0 && corrections[i - 1].Steps == steps
                ? corrections[i - 1]
                : new(steps, (float)(rate / (1 - Math.Pow(beta1, steps))), (float)(1 / Math.Sqrt(1 - Math.Pow(beta2, steps))));
        }
        vectors.Run(number =>
        {
            var (tensor, from, count) = vectors.Pieces[number];
            var offset = (nint)from * sizeof(float);
            var states = vectors.States;
            Step((float*)(vectors.Parameters[tensor] + offset), (float*)(vectors.Gradients[tensor] + offset), (float*)(states[0][tensor] + offset), (float*)(states[1][tensor] + offset),
                states.Length > 2 ? (float*)(states[2][tensor] + offset) : null, count, constants, corrections[tensor]);
        });
    }

    private static void Step(float* p, float* g, float* m, float* v, float* largest, int count, Constants c, Corrections corrections)
    {
        var (sign, keep, penalty, share1, b2, share2, eps) = c;
        var (_, stepSize, root) = corrections;
        var i = Avx512F.IsSupported ? StepWide(p, g, m, v, largest, count, c, corrections) : 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            var value = Vector.Load(p + i);
            var gradient = (Vector.Load(g + i) * sign) + (value * penalty);
            value *= keep;
            var first = Vector.Load(m + i);
            first += (gradient - first) * share1;
            var second = (Vector.Load(v + i) * b2) + (gradient * gradient * share2);
            first.Store(m + i);
            second.Store(v + i);
            if (largest is not null)
            {
                second = Vector.Max(second, Vector.Load(largest + i));
                second.Store(largest + i);
            }
            (value - (first * stepSize / ((Vector.SquareRoot(second) * root) + new Vector<float>(eps)))).Store(p + i);
        }
        for (; i < count; i++)
        {
            var gradient = (g[i] * sign) + (p[i] * penalty);
            m[i] += (gradient - m[i]) * share1;
            v[i] = (v[i] * b2) + (gradient * gradient * share2);
            var second = v[i];
            if (largest is not null)
            {
                second = largest[i] = Math.Max(second, largest[i]);
            }
            p[i] = (p[i] * keep) - (m[i] * stepSize / ((MathF.Sqrt(second) * root) + eps));
        }
    }

    /// <summary>Whole vectors of 512 bits; gives the entries done. The processor's square root and division take three times as long as all the rest.</summary>
    private static int StepWide(float* p, float* g, float* m, float* v, float* largest, int count, Constants c, Corrections corrections)
    {
        var (sign, keep, penalty, share1, b2, share2, eps) = c;
        var (_, stepSize, root) = corrections;
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var value = Vector512.Load(p + i);
            var gradient = (Vector512.Load(g + i) * sign) + (value * penalty);
            value *= keep;
            var first = Vector512.Load(m + i);
            first += (gradient - first) * share1;
            var second = (Vector512.Load(v + i) * b2) + (gradient * gradient * share2);
            first.Store(m + i);
            second.Store(v + i);
            if (largest is not null)
            {
                second = Vector512.Max(second, Vector512.Load(largest + i));
                second.Store(largest + i);
            }
            var denominator = (SquareRoot(second) * root) + Vector512.Create(eps);
            (value - (first * stepSize * Reciprocal(denominator))).Store(p + i);
        }
        return i;
    }

    /// <summary>The square root to the last bit or two: 14 bits from a table and one step of Newton's. 0 becomes 1e-18, infinity 1.8e19; NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> SquareRoot(Vector512<float> x)
    {
        // Of a NaN these instructions give the second operand, the NaN.
        var safe = Avx512F.Min(Vector512.Create(float.MaxValue), Avx512F.Max(Vector512.Create(1e-36f), x));
        var inverse = Avx512F.ReciprocalSqrt14(safe);
        var near = safe * inverse;
        return near + (near * 0.5f * (Vector512<float>.One - (near * inverse)));
    }

    /// <summary>1 / x to the last bit or two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Reciprocal(Vector512<float> x)
    {
        var near = Avx512F.Reciprocal14(x);
        return near + (near * (Vector512<float>.One - (x * near)));
    }

    /// <summary>Numbers that all entries share.</summary>
    private readonly record struct Constants(float Sign, float Keep, float Penalty, float Share1, float Beta2, float Share2, float Epsilon);

    /// <summary>Those that depend on the count of a parameter's steps.</summary>
    private readonly record struct Corrections(long Steps, float StepSize, float Root);
}

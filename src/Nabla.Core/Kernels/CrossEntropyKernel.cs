using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>Mean over rows that count of <c>log(sum exp(x)) - x[target]</c>, and its gradient <c>(softmax(x) - target) / rows that count</c>.</summary>
internal static unsafe class CrossEntropyKernel
{
    private const int FactorsOfLog = 32; // sums of at most 1,024 classes whose product a double holds

    /// <summary>Loss and gradient in one pass.</summary>
    /// <param name="logits"><c>[rows, classes]</c>, at most 1,024 classes.</param>
    /// <param name="targets">Class numbers, each below <paramref name="classes"/> or <paramref name="ignored"/>.</param>
    /// <param name="gradient">Takes the gradient, the shape of the logits.</param>
    /// <param name="rows">Rows.</param>
    /// <param name="classes">Classes.</param>
    /// <param name="ignored">The target that counts nothing.</param>
    /// <returns>The loss; not a number when no row counts.</returns>
    public static float Run(float* logits, long* targets, float* gradient, int rows, int classes, long ignored)
    {
        var counted = 0;
        for (var row = 0; row < rows; row++)
        {
            counted += targets[row] == ignored ? 0 : 1;
        }
        var (share, isNarrow) = (1f / counted, Avx512F.IsSupported && classes <= Vector512<float>.Count);
        var buffer = stackalloc float[Math.Max(VectorRow.Padded(classes), Vector512<float>.Count)];
        var lanes = Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(classes)).AsSingle();
        var (total, product) = (0.0, 1.0);
        for (var row = 0; row < rows; row++, logits += classes, gradient += classes)
        {
            if (targets[row] == ignored)
            {
                new Span<float>(gradient, classes).Clear();
                continue;
            }
            var (largest, sum) = isNarrow ? Narrow(logits, gradient, buffer, classes, share, lanes, isInside: (rows - row) * classes >= Vector512<float>.Count) : Wide(logits, gradient, buffer, classes, share);
            var target = (int)targets[row];
            gradient[target] -= share;
            total += (double)largest - logits[target];
            product *= sum; // the sum of logarithms is that of the product, and a logarithm costs as much as the rest of a narrow row
            if (row % FactorsOfLog == FactorsOfLog - 1)
            {
                total += Math.Log(product);
                product = 1;
            }
        }
        return (float)((total + Math.Log(product)) / counted);
    }

    /// <summary>A row that fits one vector: its largest logit and the sum of the powers; writes share times softmax.</summary>
    /// <param name="logits">The row.</param>
    /// <param name="gradient">Takes the result.</param>
    /// <param name="buffer">Sixteen numbers to work with.</param>
    /// <param name="classes">Classes, at most 16.</param>
    /// <param name="share">The factor.</param>
    /// <param name="lanes">All bits of those lanes that are classes.</param>
    /// <param name="isInside">Whether sixteen numbers can be read and written there; what lies behind the row is written by the next ones.</param>
    [MethodImpl(Compiled.AtOnce)]
    private static (float Largest, float Sum) Narrow(float* logits, float* gradient, float* buffer, int classes, float share, Vector512<float> lanes, bool isInside)
    {
        if (!isInside)
        {
            new ReadOnlySpan<float>(logits, classes).CopyTo(new(buffer, classes));
        }
        var values = Vector512.ConditionalSelect(lanes, Vector512.Load(isInside ? logits : buffer), Vector512.Create(float.NegativeInfinity));
        var half = Vector256.Max(values.GetLower(), values.GetUpper());
        var quarter = Vector128.Max(half.GetLower(), half.GetUpper());
        var two = Vector128.Max(quarter, Vector128.Shuffle(quarter, Vector128.Create(2, 3, 0, 1)));
        var largest = Vector128.Max(two, Vector128.Shuffle(two, Vector128.Create(1, 0, 3, 2))).ToScalar();
        var powers = GateFunctions.ExpOfNegative(values - Vector512.Create(largest));
        var sum = Vector512.Sum(powers);
        (powers * Vector512.Create(share / sum)).Store(isInside ? gradient : buffer);
        if (!isInside)
        {
            new ReadOnlySpan<float>(buffer, classes).CopyTo(new(gradient, classes));
        }
        return (largest, sum);
    }

    /// <summary>The same for any number of classes.</summary>
    private static (float Largest, float Sum) Wide(float* logits, float* gradient, float* buffer, int classes, float share)
    {
        var row = new Span<float>(buffer, VectorRow.Padded(classes));
        new ReadOnlySpan<float>(logits, classes).CopyTo(row);
        row[classes..].Fill(float.NegativeInfinity); // e to the power of it is 0
        var tops = new Vector<float>(row);
        for (var k = Vector<float>.Count; k < row.Length; k += Vector<float>.Count)
        {
            tops = Vector.Max(tops, new Vector<float>(row[k..])); // NaN where there is one
        }
        var largest = tops[0];
        for (var lane = 1; lane < Vector<float>.Count; lane++)
        {
            largest = MathF.Max(largest, tops[lane]);
        }
        var (sums, shift) = (Vector<float>.Zero, new Vector<float>(largest));
        for (var k = 0; k < row.Length; k += Vector<float>.Count)
        {
            var power = VectorRow.Exp(new Vector<float>(row[k..]) - shift);
            sums += power;
            power.CopyTo(row[k..]);
        }
        var sum = Vector.Sum(sums);
        var scale = new Vector<float>(share / sum);
        for (var k = 0; k < row.Length; k += Vector<float>.Count)
        {
            (new Vector<float>(row[k..]) * scale).CopyTo(row[k..]);
        }
        row[..classes].CopyTo(new(gradient, classes));
        return (largest, sum);
    }
}

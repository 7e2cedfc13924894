using System.Numerics;
using System.Runtime.InteropServices;

namespace Nabla.Core.Kernels;

/// <summary>Mean cross entropy of few logits with class numbers as one operation of the graph.</summary>
internal static class CrossEntropyFunction
{
    /// <summary>The loss, <c>[]</c>.</summary>
    /// <param name="logits"><c>[rows, classes]</c>.</param>
    /// <param name="targets"><c>[rows]</c>, int64, checked.</param>
    /// <param name="ignored">The number that counts nothing.</param>
    public static Tensor Apply(Tensor logits, Tensor targets, long ignored)
    {
        var (loss, gradient) = Run(logits, targets, ignored);
        using (gradient)
        {
            FusedNode.Attach(nameof(CrossEntropyFunction), loss, [logits], [gradient], (saved, cotangent)
                => [MemoryMarshal.Cast<byte, float>(cotangent.bytes)[0] == 1 ? saved[0] : saved[0].mul(cotangent)]);
        }
        return loss;
    }

    /// <summary>The loss, <c>[]</c>, and its gradient, the shape of the logits.</summary>
    private static (Tensor Loss, Tensor Gradient) Run(Tensor logits, Tensor targets, long ignored)
    {
        using var scope = NewDisposeScope();
        var (dense, ids) = (logits.contiguous(), targets.contiguous());
        var (loss, gradient) = (torch.empty([]), torch.empty([logits.size(0), logits.size(1)]));
        MemoryMarshal.Cast<byte, float>(loss.bytes)[0] = Forward(
            MemoryMarshal.Cast<byte, float>(dense.bytes), MemoryMarshal.Cast<byte, long>(ids.bytes), MemoryMarshal.Cast<byte, float>(gradient.bytes), (int)logits.size(1), ignored);
        return (loss.MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }

    /// <summary>Mean over rows that count of <c>log(sum exp(x)) - x[target]</c>, and its gradient <c>(softmax(x) - target) / rows that count</c>.</summary>
    private static float Forward(ReadOnlySpan<float> logits, ReadOnlySpan<long> targets, Span<float> gradient, int classes, long ignored)
    {
        var counted = 0;
        foreach (var target in targets)
        {
            counted += target == ignored ? 0 : 1;
        }
        Span<float> row = stackalloc float[VectorRow.Padded(classes)];
        var (total, share) = (0.0, 1f / counted);
        for (var i = 0; i < targets.Length; i++)
        {
            var values = logits.Slice(i * classes, classes);
            var slopes = gradient.Slice(i * classes, classes);
            if (targets[i] == ignored)
            {
                slopes.Clear();
                continue;
            }
            values.CopyTo(row);
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
            var target = (int)targets[i];
            total += Math.Log(sum) + largest - values[target];
            var scale = new Vector<float>(share / sum);
            for (var k = 0; k < row.Length; k += Vector<float>.Count)
            {
                (new Vector<float>(row[k..]) * scale).CopyTo(row[k..]);
            }
            row[..classes].CopyTo(slopes);
            slopes[target] -= share;
        }
        return (float)(total / counted);
    }
}

namespace Nabla.Core.Kernels;

/// <summary>Mean cross entropy of few logits with class numbers as one operation of the graph.</summary>
internal static unsafe class CrossEntropyFunction
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
            FusedNode.Attach(nameof(CrossEntropyFunction), loss, [logits], [], [gradient], (saved, cotangent)
                => [*(float*)TensorMemory.Address(cotangent) == 1 ? saved[0] : saved[0].mul(cotangent)]);
        }
        return loss;
    }

    /// <summary>The loss, <c>[]</c>, and its gradient, the shape of the logits.</summary>
    private static (Tensor Loss, Tensor Gradient) Run(Tensor logits, Tensor targets, long ignored)
    {
        using var scope = NewDisposeScope();
        var (dense, ids, rows, classes) = (FusedNode.Dense(logits), targets.is_contiguous() ? targets : targets.contiguous(), logits.size(0), logits.size(1));
        var (loss, gradient) = (torch.empty([]), torch.empty([rows, classes]));
        *(float*)TensorMemory.Address(loss) = CrossEntropyKernel.Run(
            (float*)TensorMemory.Address(dense), (long*)TensorMemory.Address(ids), (float*)TensorMemory.Address(gradient), (int)rows, (int)classes, ignored);
        return (loss.MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }
}

using System.Globalization;

namespace Nabla.Nn;

/// <summary>
/// Losses as functions. Predictions come first, then targets; half precision is widened to float32 first, so that autocast is safe.
/// Class numbers out of range are reported with their place instead of ending in a kernel. Thread-safe.
/// </summary>
public static partial class LossFunctions
{
    private static Tensor Widen(Tensor x) => x.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? x.to(ScalarType.Float32) : x;

    private static Tensor Reduce(Tensor loss, Reduction reduction) => reduction switch
    {
        Reduction.Mean => loss.mean(),
        Reduction.Sum => loss.sum(),
        _ => loss,
    };

    /// <summary>
    /// Targets in the type and shape of the predictions. Only a missing or extra last axis of size 1 is forgiven: broadcasting
    /// [batch] against [batch, 1] would silently compare everything with everything.
    /// </summary>
    private static Tensor Align(Tensor predictions, Tensor targets, string where)
    {
        var aligned = targets.dtype == predictions.dtype ? targets : targets.to(predictions.dtype);
        long[] p = predictions.Sizes(), t = targets.Sizes();
        if (p.AsSpan().SequenceEqual(t))
        {
            return aligned;
        }
        var isSameButOne = (p.Length == t.Length + 1 && p[^1] == 1 && p.AsSpan(0, t.Length).SequenceEqual(t))
            || (t.Length == p.Length + 1 && t[^1] == 1 && t.AsSpan(0, p.Length).SequenceEqual(p));
        return isSameButOne
            ? aligned.reshape(p)
            : throw new ShapeException(where, nameof(targets), string.Create(CultureInfo.InvariantCulture, $"the shape of the predictions, {ShapeException.Format(p)}"), t);
    }
}

using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Reads a batch of class predictions: logits with the classes on the last axis, one logit for each example (two classes), or class ids.
/// Targets that are -100 are left out. Everything comes to the CPU; what comes is as small as the measure allows.
/// </summary>
internal static class ClassBatch
{
    /// <summary>Target that does not count.</summary>
    public const long Ignored = -100;

    /// <summary>Logits that are looked at one by one here; for more, libtorch's vectors are faster.</summary>
    private const long FewLogits = 1 << 14;

    /// <summary>Class ids that count: targets and the predicted ids beside them. On ties the lower id wins; one logit is positive from 0 on.</summary>
    /// <param name="where">The metric, for errors.</param>
    /// <param name="predictions">Logits <c>[..., classes]</c>, or logits or ids like the targets.</param>
    /// <param name="targets">Ids <c>[...]</c>.</param>
    /// <returns>Targets, predicted ids, and whether a logit is NaN; then the predicted ids mean nothing.</returns>
    public static (long[] Targets, long[] Predicted, bool HasNaN) Ids(string where, Tensor predictions, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var ids = Targets(where, targets);
        Tensor best, predicted;
        if (HasClasses(predictions, targets) && predictions is { dtype: ScalarType.Float32, device_type: DeviceType.CPU } && predictions.numel() <= FewLogits && predictions.is_contiguous())
        {
            return ArgumentsOfMaxima(MemoryMarshal.Cast<byte, float>(predictions.bytes), (int)predictions.size(-1), ids);
        }
        if (HasClasses(predictions, targets))
        {
            (best, predicted) = predictions.max(-1); // the first on ties; NaN wins
        }
        else
        {
            CheckLikeTargets(where, predictions, targets);
            (best, predicted) = (predictions, predictions.is_floating_point() ? predictions.ge(Number.Of(0)) : predictions);
        }
        var (truth, kept) = Keep(ids, predicted.reshape(-1).to(ScalarType.Int64, CPU).data<long>().ToArray());
        return (truth, kept, best.is_floating_point() && best.isnan().any().cpu().item<bool>());
    }

    /// <summary>Natural logarithms of the class probabilities of the places that count, <c>[kept, classes]</c>, and their targets, both on the CPU. Call it inside a scope.</summary>
    /// <param name="where">The metric, for errors.</param>
    /// <param name="predictions">Logits <c>[..., classes]</c>, or one logit for each target, which gives two classes.</param>
    /// <param name="targets">Ids <c>[...]</c>.</param>
    public static (long[] Targets, Tensor LogProbabilities) LogProbabilities(string where, Tensor predictions, Tensor targets)
    {
        var ids = Targets(where, targets);
        Tensor rows;
        if (HasClasses(predictions, targets))
        {
            rows = nn.functional.log_softmax(predictions.detach().cpu().to(ScalarType.Float64).reshape(-1, predictions.Sizes()[^1]), -1);
        }
        else
        {
            CheckLikeTargets(where, predictions, targets);
            var logits = predictions.detach().cpu().to(ScalarType.Float64).reshape(-1);
            rows = nn.functional.logsigmoid(stack([logits.neg(), logits], -1));
        }
        if (Array.IndexOf(ids, Ignored) >= 0)
        {
            var kept = Enumerable.Range(0, ids.Length).Where(i => ids[i] != Ignored).Select(i => (long)i).ToArray();
            (rows, ids) = (rows.index_select(0, tensor(kept)), [.. kept.Select(i => ids[i])]);
        }
        CheckRange(where, ids, (int)rows.Sizes()[1]);
        return (ids, rows);
    }

    /// <summary>Natural logarithms of the probability of the target at each place that counts, computed where the logits are, in float32 at least.</summary>
    /// <param name="where">The metric, for errors.</param>
    /// <param name="predictions">Logits <c>[..., classes]</c>, or one logit for each target, which gives two classes.</param>
    /// <param name="targets">Ids <c>[...]</c>.</param>
    public static double[] TargetLogProbabilities(string where, Tensor predictions, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        if (!HasClasses(predictions, targets))
        {
            var (truth, rows) = LogProbabilities(where, predictions, targets);
            return rows.gather(1, tensor(truth).unsqueeze(1)).reshape(-1).data<double>().ToArray();
        }
        var (classes, ids) = (predictions.Sizes()[^1], Targets(where, targets));
        var kept = ids.Where(id => id != Ignored).ToArray();
        CheckRange(where, kept, (int)classes);
        var logits = predictions.detach().reshape(-1, classes);
        var places = targets.reshape(-1, 1).to(ScalarType.Int64, logits.device);
        var logProbabilities = nn.functional.log_softmax(logits.dtype == ScalarType.Float64 ? logits : logits.to(ScalarType.Float32), -1).gather(1, places.clamp(min: Number.Of(0)));
        return Keep(ids, logProbabilities.reshape(-1).to(ScalarType.Float64, CPU).data<double>().ToArray()).Values;
    }

    /// <summary>
    /// One score for each example that counts, larger for class 1: the difference of two logits, which unlike a probability does not
    /// saturate, or the one logit. Null when there are more than two classes.
    /// </summary>
    /// <param name="where">The metric, for errors.</param>
    /// <param name="predictions">Logits <c>[..., 2]</c>, or one logit for each target.</param>
    /// <param name="targets">Ids <c>[...]</c>, 0 or 1.</param>
    public static (long[] Targets, double[] Scores)? BinaryScores(string where, Tensor predictions, Tensor targets)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Tensor scores;
        if (HasClasses(predictions, targets))
        {
            if (predictions.Sizes()[^1] != 2)
            {
                return null;
            }
            var rows = predictions.detach().cpu().to(ScalarType.Float64);
            scores = rows.select(-1, 1) - rows.select(-1, 0);
        }
        else
        {
            CheckLikeTargets(where, predictions, targets);
            scores = predictions.detach().cpu().to(ScalarType.Float64);
        }
        var (ids, kept) = Keep(Targets(where, targets), scores.reshape(-1).data<double>().ToArray());
        CheckRange(where, ids, 2);
        return (ids, kept);
    }

    /// <summary>Throws unless every id is one of the classes.</summary>
    /// <param name="where">The metric, for errors.</param>
    /// <param name="ids">Ids.</param>
    /// <param name="classes">Number of classes.</param>
    public static void CheckRange(string where, ReadOnlySpan<long> ids, int classes)
    {
        foreach (var id in ids)
        {
            if (id < 0 || id >= classes)
            {
                throw new DataException($"{where}: expected class ids from 0 to {classes - 1} (or -100 to leave a place out), got {id}. Check the labels against the number of classes of the model.");
            }
        }
    }

    /// <summary>Whether predictions have one axis more than the targets: the classes.</summary>
    public static bool HasClasses(Tensor predictions, Tensor targets)
    {
        var axes = (int)targets.dim();
        if (predictions.dim() != axes + 1 || predictions.size(axes) <= 1)
        {
            return false;
        }
        for (var axis = 0; axis < axes; axis++)
        {
            if (predictions.size(axis) != targets.size(axis))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Each row's class of the largest logit, the first on ties; without an operation of libtorch, which costs more than it computes here.</summary>
    private static (long[] Targets, long[] Predicted, bool HasNaN) ArgumentsOfMaxima(ReadOnlySpan<float> logits, int classes, long[] ids)
    {
        var predicted = new long[ids.Length];
        var hasNaN = false;
        for (var row = 0; row < ids.Length; row++)
        {
            var values = logits.Slice(row * classes, classes);
            var best = 0;
            for (var i = 1; i < values.Length; i++)
            {
                best = values[i] > values[best] || float.IsNaN(values[i]) ? i : best;
                hasNaN |= float.IsNaN(values[i]);
            }
            predicted[row] = best;
            hasNaN |= float.IsNaN(values[0]);
        }
        var (truth, kept) = Keep(ids, predicted);
        return (truth, kept, hasNaN);
    }

    private static long[] Targets(string where, Tensor targets)
    {
        if (targets.is_floating_point())
        {
            throw new DataException($"{where}: expected integer class ids as targets, got {targets.dtype}. Give int64 ids, or use a measure of numbers such as rmse.");
        }
        if (DenseMemory.TryFind(targets, ScalarType.Int64, out _, out _))
        {
            return MemoryMarshal.Cast<byte, long>(targets.bytes).ToArray();
        }
        return targets.detach().reshape(-1).to(ScalarType.Int64, CPU).data<long>().ToArray();
    }

    private static void CheckLikeTargets(string where, Tensor predictions, Tensor targets)
    {
        if (predictions.numel() != targets.numel() || predictions.Sizes() is not [] && targets.Sizes() is not [] && predictions.Sizes()[0] != targets.Sizes()[0])
        {
            throw new ShapeException(where, nameof(predictions), $"{ShapeException.Format(targets.Sizes()).TrimEnd(']')}, classes] (logits) or {ShapeException.Format(targets.Sizes())} (one logit or a class id each)", predictions.Sizes(), "Put the classes on the last axis.");
        }
    }

    private static (long[] Targets, T[] Values) Keep<T>(long[] targets, T[] values)
    {
        if (Array.IndexOf(targets, Ignored) < 0)
        {
            return (targets, values);
        }
        var kept = Enumerable.Range(0, targets.Length).Where(i => targets[i] != Ignored).ToArray();
        return ([.. kept.Select(i => targets[i])], [.. kept.Select(i => values[i])]);
    }
}

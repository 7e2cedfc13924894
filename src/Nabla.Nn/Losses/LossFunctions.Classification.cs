using System.Globalization;

namespace Nabla.Nn;

public static partial class LossFunctions
{
    /// <summary>Cross entropy of classes, <c>-log softmax(logits)[target]</c>, with label smoothing (Szegedy et al., 2016, arXiv:1512.00567).</summary>
    /// <param name="logits"><c>[batch, classes]</c>, <c>[batch, time, classes]</c> or any shape with a class axis.</param>
    /// <param name="targets">Class numbers (int64, int32), the shape of the logits without the class axis; or probabilities, the shape of the logits.</param>
    /// <param name="classWeights">Weight of each class, <c>[classes]</c>, or null; the mean divides by the weights of the targets.</param>
    /// <param name="labelSmoothing">Share of the target given to all classes alike, in [0, 1].</param>
    /// <param name="ignoredId">Targets of this number count nothing.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <param name="classAxis">Where the classes are; pictures of labels have them at 1. Default: the last axis.</param>
    /// <returns><c>[]</c>, or the shape without the class axis.</returns>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A class number is out of range.</exception>
    public static Tensor CrossEntropy(
        Tensor logits, Tensor targets, Tensor? classWeights = null, double labelSmoothing = 0, long ignoredId = -100,
        Reduction reduction = Reduction.Mean, int classAxis = -1)
    {
        using var scope = NewDisposeScope();
        var (flat, flatTargets, shape) = ByClass("CrossEntropy", Widen(logits), targets, classAxis, ignoredId);
        if (reduction == Reduction.Mean && labelSmoothing == 0 && classWeights is null && CrossEntropyOps.Supports(flat, flatTargets))
        {
            return CrossEntropyOps.Mean(flat, flatTargets, ignoredId).MoveToOuterDisposeScope();
        }
        var loss = functional.cross_entropy(flat, flatTargets, Weights(classWeights, flat)!, ignoredId, reduction, labelSmoothing);
        return (reduction == Reduction.None ? loss.reshape(shape) : loss).MoveToOuterDisposeScope();
    }

    /// <summary>Negative log likelihood, <c>-logProbabilities[target]</c>.</summary>
    /// <param name="logProbabilities">As logits of <see cref="CrossEntropy"/>, after log softmax.</param>
    /// <param name="targets">Class numbers.</param>
    /// <param name="classWeights">Weight of each class, <c>[classes]</c>, or null.</param>
    /// <param name="ignoredId">Targets of this number count nothing.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <param name="classAxis">Where the classes are.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A class number is out of range.</exception>
    public static Tensor NegativeLogLikelihood(
        Tensor logProbabilities, Tensor targets, Tensor? classWeights = null, long ignoredId = -100, Reduction reduction = Reduction.Mean, int classAxis = -1)
    {
        using var scope = NewDisposeScope();
        var (flat, flatTargets, shape) = ByClass("NegativeLogLikelihood", Widen(logProbabilities), targets, classAxis, ignoredId);
        if (flatTargets.is_floating_point())
        {
            throw new DataException("NegativeLogLikelihood: targets must be class numbers (int64); for probabilities use cross-entropy or kl-divergence.");
        }
        var loss = SafeOps.NegativeLogLikelihood(flat, flatTargets, Weights(classWeights, flat), reduction, ignoredId);
        return (reduction == Reduction.None ? loss.reshape(shape) : loss).MoveToOuterDisposeScope();
    }

    /// <summary>Binary cross entropy on logits, safe for large ones.</summary>
    /// <param name="logits">Any shape, such as <c>[batch]</c> or <c>[batch, labels]</c>.</param>
    /// <param name="targets">0 to 1, the shape of the logits.</param>
    /// <param name="positiveWeights">Weight of positive targets, <c>[labels]</c> or <c>[1]</c>, or null.</param>
    /// <param name="weights">Weight of each entry, broadcast, or null.</param>
    /// <param name="labelSmoothing">Targets move this share of the way to 0.5.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor BinaryCrossEntropy(
        Tensor logits, Tensor targets, Tensor? positiveWeights = null, Tensor? weights = null, double labelSmoothing = 0, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(logits);
        var y = Align(x, targets, "BinaryCrossEntropy");
        y = labelSmoothing > 0 ? (y * Number.Of(1 - labelSmoothing)) + Number.Of(labelSmoothing / 2) : y;
        return functional.binary_cross_entropy_with_logits(x, y, weights?.to(x.dtype)!, reduction, positiveWeights?.to(x.dtype)!).MoveToOuterDisposeScope();
    }

    /// <summary>Binary cross entropy on probabilities; logarithms are cut at -100, as in PyTorch. Prefer logits.</summary>
    /// <param name="probabilities">0 to 1, any shape.</param>
    /// <param name="targets">0 to 1, the same shape.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor BinaryCrossEntropyOnProbabilities(Tensor probabilities, Tensor targets, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(probabilities);
        return functional.binary_cross_entropy(x, Align(x, targets, "BinaryCrossEntropyOnProbabilities"), null!, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Focal loss on logits, <c>-alpha_t (1 - p_t)^gamma log p_t</c>: easy examples count less. Source: Lin et al. (2017), arXiv:1708.02002.</summary>
    /// <param name="logits">Any shape.</param>
    /// <param name="targets">0 or 1, the same shape.</param>
    /// <param name="gamma">How much less; 0 is binary cross entropy.</param>
    /// <param name="alpha">Weight of positive targets, 1 - alpha that of negative ones; null: none.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Focal(Tensor logits, Tensor targets, double gamma = 2, double? alpha = 0.25, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(logits);
        var y = Align(x, targets, "Focal");
        var entropy = functional.binary_cross_entropy_with_logits(x, y, reduction: Reduction.None);
        var p = x.sigmoid();
        var right = (p * y) + ((Number.Of(1) - p) * (Number.Of(1) - y));
        var loss = entropy * (Number.Of(1) - right).pow(Number.Of(gamma));
        loss = alpha is { } a ? loss * ((Number.Of(a) * y) + (Number.Of(1 - a) * (Number.Of(1) - y))) : loss;
        return Reduce(loss, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Focal loss of classes, mean of <c>-w_y (1 - p_y)^gamma log p_y</c>. Source: Lin et al. (2017), arXiv:1708.02002.</summary>
    /// <param name="logits">As for <see cref="CrossEntropy"/>.</param>
    /// <param name="targets">Class numbers.</param>
    /// <param name="gamma">How much less easy examples count.</param>
    /// <param name="classWeights">Weight of each class, <c>[classes]</c>, or null.</param>
    /// <param name="ignoredId">Targets of this number count nothing.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A class number is out of range.</exception>
    public static Tensor FocalOfClasses(Tensor logits, Tensor targets, double gamma = 2, Tensor? classWeights = null, long ignoredId = -100)
    {
        using var scope = NewDisposeScope();
        var (flat, flatTargets, _) = ByClass("FocalOfClasses", Widen(logits), targets, -1, ignoredId);
        var counted = flatTargets.ne(Number.Of(ignoredId));
        var ids = flatTargets.to(ScalarType.Int64).masked_fill(counted.logical_not(), Number.Of(0));
        var logP = flat.log_softmax(-1).gather(-1, ids.unsqueeze(-1)).squeeze(-1); // [entries]
        var loss = (Number.Of(1) - logP.exp()).pow(Number.Of(gamma)) * -logP;
        loss = Weights(classWeights, flat) is { } w ? loss * w.index_select(0, ids) : loss;
        return (loss * counted).sum().div(counted.sum()).MoveToOuterDisposeScope();
    }

    /// <summary>Hinge loss, <c>max(0, 1 - target * score)</c>, or its square.</summary>
    /// <param name="scores">Any shape.</param>
    /// <param name="targets">-1 or 1, the same shape.</param>
    /// <param name="isSquared">Whether the square is taken.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Hinge(Tensor scores, Tensor targets, bool isSquared = false, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(scores);
        var loss = (Number.Of(1) - (Align(x, targets, "Hinge") * x)).clamp_min(Number.Of(0));
        return Reduce(isSquared ? loss.square() : loss, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Logistic loss, <c>log(1 + exp(-target * score))</c>, without overflow (PyTorch's soft_margin_loss overflows for large margins).</summary>
    /// <param name="scores">Any shape.</param>
    /// <param name="targets">-1 or 1, the same shape.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor SoftMargin(Tensor scores, Tensor targets, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(scores);
        return Reduce(-functional.logsigmoid(Align(x, targets, "SoftMargin") * x), reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Hinge loss of classes, <c>sum over others of max(0, margin - x_y + x_j)^power / classes</c>.</summary>
    /// <param name="scores"><c>[batch, classes]</c>.</param>
    /// <param name="targets">Class numbers, <c>[batch]</c>.</param>
    /// <param name="power">1 or 2.</param>
    /// <param name="margin">Distance that costs nothing.</param>
    /// <param name="classWeights">Weight of each class, or null.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A class number is out of range.</exception>
    public static Tensor MultiMargin(Tensor scores, Tensor targets, int power = 1, double margin = 1, Tensor? classWeights = null, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var (flat, flatTargets, shape) = ByClass("MultiMargin", Widen(scores), targets, -1, null);
        var loss = functional.multi_margin_loss(flat, flatTargets.to(ScalarType.Int64), power, margin, Weights(classWeights, flat)!, reduction);
        return (reduction == Reduction.None ? loss.reshape(shape) : loss).MoveToOuterDisposeScope();
    }

    /// <summary>Mean over labels of binary cross entropy on logits.</summary>
    /// <param name="logits"><c>[batch, labels]</c>.</param>
    /// <param name="targets">0 or 1, the same shape.</param>
    /// <param name="labelWeights">Weight of each label, <c>[labels]</c>, or null.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor MultiLabelSoftMargin(Tensor logits, Tensor targets, Tensor? labelWeights = null, Reduction reduction = Reduction.Mean)
    {
        using var scope = NewDisposeScope();
        var x = Widen(logits);
        var loss = functional.binary_cross_entropy_with_logits(x, Align(x, targets, "MultiLabelSoftMargin"), reduction: Reduction.None);
        loss = labelWeights is null ? loss : loss * labelWeights.to(x.dtype);
        return Reduce(loss.mean([-1]), reduction).MoveToOuterDisposeScope();
    }

    /// <summary>Logits as [entries, classes], targets as [entries] (or probabilities as [entries, classes]), and the shape without classes.</summary>
    private static (Tensor Logits, Tensor Targets, long[] Shape) ByClass(string where, Tensor logits, Tensor targets, int classAxis, long? ignoredId)
    {
        if (logits.Dimensions == 0)
        {
            throw new ShapeException(where, nameof(logits), "[..., classes]", logits.Sizes());
        }
        var axis = classAxis < 0 ? classAxis + (int)logits.Dimensions : Math.Min(classAxis, (int)logits.Dimensions - 1);
        var isLast = axis == logits.Dimensions - 1;
        var last = isLast ? logits : logits.movedim([axis], [-1]); // [..., classes]
        var classes = last.size(-1);
        long[] shape = last.Dimensions == 2 ? [last.size(0)] : last.Sizes()[..^1];
        if (targets.is_floating_point())
        {
            if (!targets.Sizes().AsSpan().SequenceEqual(logits.Sizes()))
            {
                throw new ShapeException(where, nameof(targets), $"probabilities in the shape of the logits, {ShapeException.Format(logits.Sizes())}", targets.Sizes(), "For class numbers give int64.");
            }
            var probabilities = isLast ? targets : targets.movedim([axis], [-1]);
            return (last.reshape(-1, classes), probabilities.to(logits.dtype).reshape(-1, classes), shape);
        }
        if (targets.Dimensions != shape.Length || (shape.Length == 1 ? targets.size(0) != shape[0] : !targets.Sizes().AsSpan().SequenceEqual(shape)))
        {
            throw new ShapeException(where, nameof(targets), string.Create(CultureInfo.InvariantCulture, $"{ShapeException.Format(shape)} beside logits {ShapeException.Format(logits.Sizes())} of {classes} classes"), targets.Sizes());
        }
        IdCheck.InRange(targets, classes, where, "class", ignoredId);
        var ids = targets.dtype == ScalarType.Int64 ? targets : targets.to(ScalarType.Int64);
        if (shape.Length == 1 && isLast)
        {
            return (last, ids, shape); // a reshape would be one more operation of the graph
        }
        // A plain count instead of -1: that is not defined when the batch is empty.
        return (last.reshape(shape.Aggregate(1L, (product, size) => product * size), classes), ids.reshape(ids.numel()), shape);
    }

    private static Tensor? Weights(Tensor? classWeights, Tensor flat)
    {
        if (classWeights is null)
        {
            return null;
        }
        return classWeights.Sizes() is [var count] && count == flat.Sizes()[1]
            ? classWeights.to(flat.dtype).to(flat.device)
            : throw new ShapeException("LossFunctions", nameof(classWeights), string.Create(CultureInfo.InvariantCulture, $"[classes={flat.Sizes()[1]}]"), classWeights.Sizes(), "Give one weight for each class.");
    }
}

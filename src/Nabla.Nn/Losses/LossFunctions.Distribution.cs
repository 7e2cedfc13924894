using System.Globalization;

namespace Nabla.Nn;

public static partial class LossFunctions
{
    /// <summary>Kullback-Leibler divergence, <c>target (log target - logPrediction)</c>; a target of 0 counts nothing.</summary>
    /// <param name="logPredictions">Logarithms of probabilities, any shape.</param>
    /// <param name="targets">Probabilities or their logarithms, the same shape.</param>
    /// <param name="isLogTarget">Whether targets are logarithms.</param>
    /// <param name="dividesByBatch">Whether the sum is divided by the first axis (the divergence itself) instead of being combined by <paramref name="reduction"/>.</param>
    /// <param name="reduction">How entries are combined.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor KullbackLeibler(Tensor logPredictions, Tensor targets, bool isLogTarget = false, bool dividesByBatch = true, Reduction reduction = Reduction.Mean)
        => Elementwise("KullbackLeibler", logPredictions, targets, (x, y) => dividesByBatch
            ? functional.kl_div(x, y, isLogTarget, Reduction.Sum) / Number.Of(Math.Max(1, x.Sizes()[0]))
            : Reduce(functional.kl_div(x, y, isLogTarget, Reduction.None), reduction)); // libtorch's own mean warns on the console each time

    /// <summary>
    /// Divergence of normal distributions from the standard one, <c>-(1 + logVariance - mean^2 - exp(logVariance)) / 2</c>, summed over
    /// features, mean over the batch. Source: Kingma and Welling (2013), arXiv:1312.6114, appendix B.
    /// </summary>
    /// <param name="means"><c>[batch, features]</c>.</param>
    /// <param name="logVariances">The same shape.</param>
    /// <returns><c>[]</c>.</returns>
    /// <exception cref="ShapeException">The shapes differ, or there are not two axes.</exception>
    public static Tensor StandardNormalDivergence(Tensor means, Tensor logVariances)
    {
        if (means.Dimensions != 2)
        {
            throw new ShapeException("StandardNormalDivergence", nameof(means), "[batch, features]", means.Sizes());
        }
        return Elementwise("StandardNormalDivergence", means, logVariances, (mean, logVariance) => (Number.Of(-0.5) * (Number.Of(1) + logVariance - mean.square() - logVariance.exp())).sum(1).mean());
    }

    /// <summary>
    /// Learning from a teacher: <c>mix T^2 KL(teacher at T || student at T) + (1 - mix) cross entropy</c>.
    /// Source: Hinton et al. (2015), arXiv:1503.02531.
    /// </summary>
    /// <param name="student">Logits, <c>[batch, classes]</c>.</param>
    /// <param name="teacher">Logits, <c>[batch, classes]</c>.</param>
    /// <param name="targets">Class numbers, <c>[batch]</c>.</param>
    /// <param name="temperature">Softness, above 0.</param>
    /// <param name="mix">Weight of the teacher, in [0, 1].</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    public static Tensor Distillation(Tensor student, Tensor teacher, Tensor targets, double temperature = 2, double mix = 0.5)
    {
        using var scope = NewDisposeScope();
        var x = Widen(student);
        var soft = KullbackLeibler((x / Number.Of(temperature)).log_softmax(-1), (Align(x, teacher, "Distillation") / Number.Of(temperature)).log_softmax(-1), isLogTarget: true);
        return ((Number.Of(mix * temperature * temperature) * soft) + (Number.Of(1 - mix) * CrossEntropy(x, targets))).MoveToOuterDisposeScope();
    }

    /// <summary>Keeps logits small: <c>coefficient * mean(logsumexp(logits)^2)</c>. Source: Chowdhery et al. (2022), arXiv:2204.02311, section 5.</summary>
    /// <param name="logits"><c>[..., classes]</c>.</param>
    /// <param name="coefficient">Its weight.</param>
    public static Tensor LogPartition(Tensor logits, double coefficient = 1e-4)
    {
        using var scope = NewDisposeScope();
        return (Number.Of(coefficient) * Widen(logits).logsumexp(-1).square().mean()).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Connectionist temporal classification: every alignment of the targets with the steps counts. Source: Graves et al. (2006).
    /// Its gradient is right behind log softmax only.
    /// </summary>
    /// <param name="logProbabilities"><c>[time, batch, classes]</c>, from log softmax.</param>
    /// <param name="targets">Class numbers, <c>[batch, targetTime]</c> padded, or <c>[sum of targetLengths]</c>.</param>
    /// <param name="inputLengths">Real steps, int64, <c>[batch]</c>.</param>
    /// <param name="targetLengths">Real targets, int64, <c>[batch]</c>.</param>
    /// <param name="blank">The class that stands for nothing.</param>
    /// <param name="zeroInfinity">Whether impossible alignments count 0 instead of infinity.</param>
    /// <param name="reduction">How entries are combined; the mean divides each by its target length.</param>
    /// <exception cref="ShapeException">The shapes do not fit.</exception>
    /// <exception cref="DataException">A length or a class number is out of range.</exception>
    public static Tensor ConnectionistTemporal(
        Tensor logProbabilities, Tensor targets, Tensor inputLengths, Tensor targetLengths, long blank = 0, bool zeroInfinity = false, Reduction reduction = Reduction.Mean)
    {
        if (logProbabilities.Sizes() is not [var time, var batch, var classes])
        {
            throw new ShapeException("ConnectionistTemporal", nameof(logProbabilities), "[time, batch, classes]", logProbabilities.Sizes());
        }
        CheckAlignment(targets, inputLengths, targetLengths, time, batch, classes, blank);
        using var scope = NewDisposeScope();
        return functional.ctc_loss(Widen(logProbabilities), targets, inputLengths, targetLengths, blank, zeroInfinity, reduction).MoveToOuterDisposeScope();
    }

    /// <summary>The kernel reads targets without looking at their range.</summary>
    private static void CheckAlignment(Tensor targets, Tensor inputLengths, Tensor targetLengths, long time, long batch, long classes, long blank)
    {
        const string Where = "ConnectionistTemporal";
        using var scope = NewDisposeScope();
        foreach (var (lengths, name) in ((Tensor, string)[])[(inputLengths, nameof(inputLengths)), (targetLengths, nameof(targetLengths))])
        {
            if (lengths.Sizes() is not [var count] || count != batch)
            {
                throw new ShapeException(Where, name, string.Create(CultureInfo.InvariantCulture, $"[batch={batch}]"), lengths.Sizes());
            }
        }
        if (blank < 0 || blank >= classes)
        {
            throw new ArgumentOutOfRangeException(nameof(blank), blank, string.Create(CultureInfo.InvariantCulture, $"The blank must be one of the {classes} classes."));
        }
        long[] steps = Host(inputLengths), sizes = Host(targetLengths), ids = Host(targets);
        var isPadded = targets.Dimensions == 2;
        if (isPadded ? targets.Sizes()[0] != batch : targets.Dimensions != 1 || targets.Sizes()[0] != sizes.Sum())
        {
            throw new ShapeException(Where, nameof(targets), string.Create(CultureInfo.InvariantCulture, $"[batch={batch}, targetTime] or [sum of targetLengths={sizes.Sum()}]"), targets.Sizes());
        }
        var start = 0L;
        for (var row = 0; row < batch; row++)
        {
            var limit = isPadded ? targets.Sizes()[1] : sizes[row];
            if (steps[row] < 0 || steps[row] > time || sizes[row] < 0 || sizes[row] > limit)
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{Where}: row {row} has input length {steps[row]} of at most {time} and target length {sizes[row]} of at most {limit}."));
            }
            for (var i = 0; i < sizes[row]; i++)
            {
                var id = ids[start + i];
                if (id < 0 || id >= classes)
                {
                    throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{Where}: class id {id} at row {row}, position {i} is out of range: there are {classes} classes."));
                }
            }
            start += isPadded ? targets.Sizes()[1] : sizes[row];
        }

        static long[] Host(Tensor x) => x.numel() == 0 ? [] : x.to(ScalarType.Int64).cpu().contiguous().data<long>().ToArray();
    }
}

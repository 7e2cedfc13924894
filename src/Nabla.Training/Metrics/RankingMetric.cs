using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// An area under a curve over all examples. With two classes it is that of class 1; with more, the mean of each class against the rest
/// (one-vs-rest, macro), NaN when a class has no examples or, for the ROC curve, all of them. All scores are kept until <see cref="Reset"/>.
/// </summary>
internal sealed class RankingMetric(string name, bool needsNegatives, Func<double[], bool[], double> area) : AccumulatedMetric(name, higherIsBetter: true)
{
    private readonly List<long> _targets = [];
    private readonly List<double> _binary = [];
    private readonly List<float> _classwise = [];
    private int _classes;
    private bool _hasInfinite;

    /// <inheritdoc/>
    public override void Reset()
    {
        _targets.Clear();
        _binary.Clear();
        _classwise.Clear();
        (_classes, _hasInfinite) = (0, false);
    }

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        if (ClassBatch.BinaryScores(Name, predictions, targets) is { } binary)
        {
            UseClasses(2);
            _targets.AddRange(binary.Targets);
            _binary.AddRange(binary.Scores);
            _hasInfinite |= Array.Exists(binary.Scores, double.IsInfinity);
            return;
        }
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (truth, logProbabilities) = ClassBatch.LogProbabilities(Name, predictions, targets);
        UseClasses((int)logProbabilities.Sizes()[1]);
        _targets.AddRange(truth);
        // In float32 equal probabilities of different rows are equal again; in double the last bit of each row's normaliser parts them.
        _classwise.AddRange(logProbabilities.to(ScalarType.Float32).reshape(-1).data<float>().ToArray());
    }

    /// <inheritdoc/>
    protected override double Result()
    {
        if (_targets.Count == 0)
        {
            return Undefined("no example has been seen.");
        }
        if (_hasInfinite)
        {
            return Undefined("a score is infinite.");
        }
        if (_classes == 2)
        {
            return Area(1, [.. _binary]);
        }
        var sum = 0.0;
        for (var c = 0; c < _classes && !double.IsNaN(sum); c++)
        {
            sum += Area(c, [.. Enumerable.Range(0, _targets.Count).Select(i => (double)_classwise[(i * _classes) + c])]);
        }
        return sum / _classes;
    }

    private double Area(int positive, double[] scores)
    {
        var truth = _targets.Select(target => target == positive).ToArray();
        return !truth.Contains(true) ? Undefined($"class {positive} has no example.")
            : needsNegatives && !truth.Contains(false) ? Undefined($"every example is of class {positive}.")
            : area(scores, truth);
    }

    private void UseClasses(int classes)
    {
        if (_classes != 0 && _classes != classes)
        {
            throw new DataException($"{Name}: expected batches with {_classes} classes like the first, got {classes}. Call Reset before measuring another model.");
        }
        _classes = classes;
    }
}

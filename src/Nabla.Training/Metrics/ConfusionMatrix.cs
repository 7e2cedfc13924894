namespace Nabla.Training;

/// <summary>How scores of single classes become one number.</summary>
public enum ClassAveraging
{
    /// <summary>The mean over the classes that occur in truth or prediction.</summary>
    Macro,

    /// <summary>Counts of all classes added up first; for one label an example that is the accuracy.</summary>
    Micro,

    /// <summary>The mean weighted by how often each class is true.</summary>
    Weighted,
}

/// <summary>A score of one class against all others.</summary>
public enum ClassScore
{
    /// <summary>Share of the predictions of a class that are right.</summary>
    Precision,

    /// <summary>Share of the examples of a class that are found.</summary>
    Recall,

    /// <summary>Harmonic mean of precision and recall.</summary>
    F1,
}

/// <summary>How often each class was taken for each class, and the scores that follow from it. Not thread-safe.</summary>
public sealed class ConfusionMatrix
{
    private long[,] _counts;
    private readonly bool _grows;

    /// <summary>An empty matrix.</summary>
    /// <param name="classes">Number of classes; null: as many as turn up.</param>
    public ConfusionMatrix(int? classes = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(classes ?? 1, 1, nameof(classes));
        (_counts, _grows) = (new long[classes ?? 0, classes ?? 0], classes is null);
    }

    /// <summary>Number of classes.</summary>
    public int Classes => _counts.GetLength(0);

    /// <summary>Number of examples.</summary>
    public long Total { get; private set; }

    /// <summary>How often examples of one class were taken for another.</summary>
    /// <param name="truth">True class.</param>
    /// <param name="predicted">Predicted class.</param>
    public long this[int truth, int predicted] => _counts[truth, predicted];

    /// <summary>Share of right predictions; NaN without examples.</summary>
    public double Accuracy => Range().Sum(Right) / (double)Total;

    /// <summary>Mean recall over the classes that occur in the truth; NaN without examples.</summary>
    public double BalancedAccuracy
    {
        get
        {
            var present = Range().Where(c => True(c) > 0).ToArray();
            return present.Length == 0 ? double.NaN : present.Average(c => (double)Right(c) / True(c));
        }
    }

    /// <summary>Matthews correlation (Gorodkin, 2004, for several classes), in [-1, 1]; 0 where truth or prediction is one class only, as scikit-learn has it; NaN without examples.</summary>
    public double MatthewsCorrelation
    {
        get
        {
            double n = Total;
            var (right, crossed, squaresTrue, squaresPredicted) = ((double)Range().Sum(Right), Range().Sum(c => (double)True(c) * Predicted(c)), Range().Sum(c => Math.Pow(True(c), 2)), Range().Sum(c => Math.Pow(Predicted(c), 2)));
            var spread = ((n * n) - squaresTrue) * ((n * n) - squaresPredicted);
            return n == 0 ? double.NaN : spread == 0 ? 0 : ((right * n) - crossed) / Math.Sqrt(spread);
        }
    }

    /// <summary>Cohen's kappa, agreement above chance (1960); NaN where truth and prediction are one and the same class only.</summary>
    public double Kappa
    {
        get
        {
            double n = Total;
            var expected = Range().Sum(c => (double)True(c) * Predicted(c)) / (n * n);
            return expected == 1 ? double.NaN : (Accuracy - expected) / (1 - expected);
        }
    }

    /// <summary>Examples of a class.</summary>
    /// <param name="class">The class.</param>
    public long True(int @class) => Range().Sum(other => _counts[@class, other]);

    /// <summary>Examples taken for a class.</summary>
    /// <param name="class">The class.</param>
    public long Predicted(int @class) => Range().Sum(other => _counts[other, @class]);

    /// <summary>Examples of a class that were taken for it.</summary>
    /// <param name="class">The class.</param>
    public long Right(int @class) => _counts[@class, @class];

    /// <summary>A score of one class; NaN without any example.</summary>
    /// <param name="score">Which.</param>
    /// <param name="class">The class.</param>
    /// <param name="zeroDivision">Its value where nothing is there to divide by, such as the precision of a class that is never predicted. Default: 0.</param>
    public double OfClass(ClassScore score, int @class, double zeroDivision = 0)
        => Total == 0 ? double.NaN : Quotient(score, Right(@class), True(@class), Predicted(@class), zeroDivision);

    /// <summary>A score over all classes; NaN without examples.</summary>
    /// <param name="score">Which.</param>
    /// <param name="averaging">How classes become one number. Default: macro.</param>
    /// <param name="zeroDivision">Value of a class's score where there is nothing to divide by; NaN leaves the class out. Default: 0.</param>
    /// <param name="countAbsentClasses">Whether macro counts classes that occur in neither truth nor prediction, as scikit-learn does when given the labels. Default: false.</param>
    public double Average(ClassScore score, ClassAveraging averaging = ClassAveraging.Macro, double zeroDivision = 0, bool countAbsentClasses = false)
    {
        if (Total == 0)
        {
            return double.NaN;
        }
        if (averaging == ClassAveraging.Micro)
        {
            return Quotient(score, Range().Sum(Right), Total, Total, zeroDivision);
        }
        var scores = Range()
            .Where(c => countAbsentClasses || True(c) + Predicted(c) > 0)
            .Select(c => (Value: OfClass(score, c, zeroDivision), Weight: averaging == ClassAveraging.Macro ? 1.0 : True(c)))
            .Where(entry => !double.IsNaN(entry.Value))
            .ToArray();
        var weights = scores.Sum(entry => entry.Weight);
        // Weights of 0 are left when every true class was left out; scikit-learn then takes the plain mean.
        return weights > 0 ? scores.Sum(entry => entry.Value * entry.Weight) / weights : scores.Sum(entry => entry.Value) / scores.Length;
    }

    /// <summary>Counts examples.</summary>
    /// <param name="truth">True classes.</param>
    /// <param name="predicted">Predicted classes, as many.</param>
    /// <exception cref="Nabla.Core.DataException">An id is not one of the classes.</exception>
    public void Add(ReadOnlySpan<long> truth, ReadOnlySpan<long> predicted)
    {
        if (truth.Length != predicted.Length)
        {
            throw new ArgumentException($"ConfusionMatrix.Add: expected as many predictions as true classes ({truth.Length}), got {predicted.Length}.", nameof(predicted));
        }
        if (_grows)
        {
            Grow(truth);
            Grow(predicted);
        }
        ClassBatch.CheckRange("confusion-matrix", truth, Classes);
        ClassBatch.CheckRange("confusion-matrix", predicted, Classes);
        for (var i = 0; i < truth.Length; i++)
        {
            _counts[truth[i], predicted[i]]++;
        }
        Total += truth.Length;
    }

    /// <summary>A copy of the counts, <c>[truth][prediction]</c>.</summary>
    public long[][] ToArray() => [.. Range().Select(truth => Range().Select(predicted => _counts[truth, predicted]).ToArray())];

    private static double Quotient(ClassScore score, long right, long isTrue, long predicted, double zeroDivision) => score switch
    {
        ClassScore.Precision => predicted == 0 ? zeroDivision : (double)right / predicted,
        ClassScore.Recall => isTrue == 0 ? zeroDivision : (double)right / isTrue,
        _ => isTrue + predicted == 0 ? zeroDivision : 2.0 * right / (isTrue + predicted),
    };

    private IEnumerable<int> Range() => Enumerable.Range(0, Classes);

    private void Grow(ReadOnlySpan<long> ids)
    {
        const long MostClasses = 10_000; // a matrix of 0.8 GB; beyond that an id is a mistake
        long largest = Classes - 1;
        foreach (var id in ids)
        {
            largest = Math.Max(largest, id);
        }
        if (largest < Classes || largest >= MostClasses)
        {
            return; // ids that cannot be are refused by the caller
        }
        var grown = new long[largest + 1, largest + 1];
        for (var row = 0; row < Classes; row++)
        {
            for (var column = 0; column < Classes; column++)
            {
                grown[row, column] = _counts[row, column];
            }
        }
        _counts = grown;
    }
}

namespace Nabla.Training;

/// <summary>
/// Expected calibration error: examples are put into bins by the probability of their likeliest class; the mean over the bins of
/// |accuracy - mean confidence|, weighted by their examples (Naeini et al., 2015; Guo et al., 2017, arXiv:1706.04599).
/// </summary>
internal sealed class CalibrationMetric(string name, int bins) : AccumulatedMetric(name, higherIsBetter: false)
{
    private CalibrationBins _bins = new(bins);

    /// <inheritdoc/>
    public override void Reset() => _bins = new(bins);

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (truth, logProbabilities) = ClassBatch.LogProbabilities(Name, predictions, targets);
        var (largest, likeliest) = logProbabilities.max(-1);
        var (confidences, classes) = (largest.exp().data<double>().ToArray(), likeliest.data<long>().ToArray());
        for (var i = 0; i < truth.Length; i++)
        {
            _bins.Add(confidences[i], classes[i] == truth[i]);
        }
    }

    /// <inheritdoc/>
    protected override double Result() => _bins.Count > 0 ? _bins.ExpectedError : Undefined("no example has been seen.");
}

/// <summary>Bins of equal width over confidences, each open on the left and closed on the right; 0 falls into the first.</summary>
internal sealed class CalibrationBins(int bins)
{
    private readonly long[] _counts = new long[bins];
    private readonly double[] _confidence = new double[bins], _right = new double[bins];

    /// <summary>Number of examples.</summary>
    public long Count => _counts.Sum();

    /// <summary>Mean gap between accuracy and confidence, weighted by examples.</summary>
    public double ExpectedError => Enumerable.Range(0, bins).Where(b => _counts[b] > 0).Sum(b => Math.Abs(_right[b] - _confidence[b])) / Count;

    /// <summary>Largest gap between accuracy and confidence of a bin.</summary>
    public double LargestError => Enumerable.Range(0, bins).Where(b => _counts[b] > 0).Max(b => Math.Abs(_right[b] - _confidence[b]) / _counts[b]);

    /// <summary>Counts an example.</summary>
    /// <param name="confidence">Probability of the predicted class, in [0, 1].</param>
    /// <param name="isRight">Whether it is the true one.</param>
    public void Add(double confidence, bool isRight)
    {
        var bin = 0;
        while (bin < bins - 1 && confidence > (bin + 1) * (1.0 / bins))
        {
            bin++;
        }
        _counts[bin]++;
        _confidence[bin] += confidence;
        _right[bin] += isRight ? 1 : 0;
    }
}

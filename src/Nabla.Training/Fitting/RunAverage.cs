namespace Nabla.Training;

/// <summary>
/// The average of a run's weights: when it takes them in, and where it comes from — the weights themselves, or a rule that keeps its own
/// average (Schedule-Free, ASGD). Owns the average.
/// </summary>
internal sealed class RunAverage : IDisposable
{
    private readonly Optimizer? _source;
    private readonly long _start, _interval;
    private bool _isCurrent;

    private RunAverage(WeightAverage weights, Optimizer? source, long start, long interval, int batchNorms)
        => (Weights, _source, _start, _interval, BatchNormBatches) = (weights, source, start, interval, batchNorms);

    /// <summary>The average itself.</summary>
    public WeightAverage Weights { get; }

    /// <summary>Training batches over which statistics of batch normalisations are computed for the average; 0: none.</summary>
    public int BatchNormBatches { get; }

    /// <summary>The average that options ask for, or null.</summary>
    /// <param name="module">The model.</param>
    /// <param name="optimizer">Its optimiser.</param>
    /// <param name="options">Options of the run.</param>
    /// <param name="totalSteps">Steps of the run, where they are known.</param>
    /// <param name="stepsPerEpoch">Steps of an epoch, where they are known.</param>
    public static RunAverage? Of(Module module, Optimizer optimizer, TrainingOptions options, long? totalSteps, long? stepsPerEpoch)
    {
        if (optimizer.HasAverage)
        {
            return new(new(module, new()), optimizer, 0, 1, options.Averaging?.BatchNorms ?? 0);
        }
        var averaging = options.Averaging ?? (options.EmaDecay is { } decay ? new() { Decay = decay } : null);
        return averaging is null ? null : new(new(module, averaging.ToWeightAverage()), null, averaging.StartStep(totalSteps), averaging.Interval(stepsPerEpoch), averaging.BatchNorms);
    }

    /// <summary>After the step with this number, from 0.</summary>
    public void OnStep(long step)
    {
        if (_source is null && step >= _start && (step - _start + 1) % _interval == 0)
        {
            Weights.Update();
        }
        _isCurrent = false;
    }

    /// <summary>Makes the average fit to be used or saved: taken from its source; while it has not begun, the weights.</summary>
    /// <param name="updateStatistics">Computes statistics of batch normalisations while the model holds the average.</param>
    public void Refresh(Action<int>? updateStatistics)
    {
        if (_isCurrent)
        {
            return;
        }
        if (_source is not null || Weights.Updates == 0)
        {
            Weights.Follow();
            _source?.CopyAverage(Weights.State);
        }
        if (updateStatistics is not null && BatchNormBatches > 0 && (_source is not null || Weights.Updates > 0))
        {
            using (Weights.Apply())
            {
                updateStatistics(BatchNormBatches);
                Weights.KeepBuffers();
            }
        }
        _isCurrent = true;
    }

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();
}

using Nabla.Data;

namespace Nabla.Training;

/// <summary>How much of the time of training steps is spent waiting for the loader. Validation and checkpoints count for neither.</summary>
internal sealed class LoaderWait(TimeProvider time)
{
    /// <summary>A share above which more workers would make training visibly faster.</summary>
    public const double Much = 0.1;

    /// <summary>Below this the first batch of each epoch, for which every run waits, weighs too much.</summary>
    public static readonly TimeSpan Telling = TimeSpan.FromSeconds(30);

    private TimeSpan _waited, _total;
    private long _stepStart;

    /// <summary>Asks for the next batch, on the clock.</summary>
    public bool MoveNext(IEnumerator<Batch> batches, bool isInsideStep)
    {
        var start = time.GetTimestamp();
        var there = batches.MoveNext();
        var waited = time.GetElapsedTime(start);
        _waited += waited;
        _total += isInsideStep ? TimeSpan.Zero : waited; // inside, the step's own clock runs
        return there;
    }

    /// <summary>A batch of a step begins to be computed.</summary>
    public void Start() => _stepStart = time.GetTimestamp();

    /// <summary>The batch, or the step that it ends, is done.</summary>
    public void Stop() => _total += time.GetElapsedTime(_stepStart);

    /// <summary>Share of the steps' time in which they waited, in [0, 1].</summary>
    public double Share => _total > TimeSpan.Zero ? Math.Clamp(_waited / _total, 0, 1) : 0;

    /// <summary>Time of the steps.</summary>
    public TimeSpan Total => _total;
}

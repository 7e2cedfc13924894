using Nabla.Data;

namespace Nabla.Training;

/// <summary>How much of the time of training steps is spent waiting for the loader. Validation and checkpoints count for neither.</summary>
internal sealed class LoaderWait(TimeProvider time)
{
    private TimeSpan _waited, _total;
    private long _stepStart;

    /// <summary>Time waited in the last call of <see cref="MoveNext"/>.</summary>
    public TimeSpan Last { get; private set; }

    /// <summary>Asks for the next batch, on the clock.</summary>
    public bool MoveNext(IEnumerator<Batch> batches, bool isInsideStep)
    {
        var start = time.GetTimestamp();
        var there = batches.MoveNext();
        Last = time.GetElapsedTime(start);
        _waited += Last;
        _total += isInsideStep ? TimeSpan.Zero : Last; // inside, the step's own clock runs
        return there;
    }

    /// <summary>A batch of a step begins to be computed.</summary>
    public void Start() => _stepStart = time.GetTimestamp();

    /// <summary>The batch, or the step that it ends, is done.</summary>
    public void Stop() => _total += time.GetElapsedTime(_stepStart);

    /// <summary>Share of the time since the last call, in [0, 1].</summary>
    public double TakeShare()
    {
        var share = _total > TimeSpan.Zero ? Math.Clamp(_waited / _total, 0, 1) : 0;
        (_waited, _total) = (TimeSpan.Zero, TimeSpan.Zero);
        return share;
    }
}

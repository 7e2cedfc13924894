namespace Nabla.Cli;

/// <summary>A curve of bounded memory: when full, neighbours are averaged. Remembers its best value exactly. Not thread-safe.</summary>
/// <param name="name">Metric name, which decides what is better.</param>
internal sealed class CurveBuffer(string name)
{
    private const int Capacity = 4096;
    private readonly bool _higherIsBetter = MetricText.HigherIsBetter(name);
    private List<CurvePoint> _points = [];
    private long _valuesInPoint = 1;
    private (double Sum, double Steps, long Count) _open;

    /// <summary>The value added last; NaN before the first.</summary>
    public double Last { get; private set; } = double.NaN;

    /// <summary>The best value; NaN before the first.</summary>
    public double Best { get; private set; } = double.NaN;

    /// <summary>Takes in a value; one that is not finite is the last, but is not drawn and never the best.</summary>
    public void Add(long step, double value)
    {
        Last = value;
        if (!double.IsFinite(value))
        {
            return;
        }
        Best = double.IsNaN(Best) || (_higherIsBetter ? value > Best : value < Best) ? value : Best;
        _open = (_open.Sum + value, _open.Steps + step, _open.Count + 1);
        if (_open.Count == _valuesInPoint)
        {
            _points.Add(new(_open.Steps / _open.Count, _open.Sum / _open.Count));
            _open = default;
            if (_points.Count == Capacity)
            {
                _points = [.. _points.Chunk(2).Select(pair => new CurvePoint((pair[0].Step + pair[1].Step) / 2, (pair[0].Value + pair[1].Value) / 2))];
                _valuesInPoint *= 2;
            }
        }
    }

    /// <summary>The points so far.</summary>
    public CurvePoint[] ToArray() => [.. _points];
}

/// <summary>A point of a drawn curve.</summary>
internal readonly record struct CurvePoint(double Step, double Value);

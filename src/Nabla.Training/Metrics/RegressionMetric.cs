using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Errors of numbers. With several outputs, <c>[batch, outputs]</c>, each output is measured by itself and the mean is taken (so the RMSE is
/// the mean of the roots). Sums are in double precision; the spread of the targets is merged from batch to batch without subtracting large
/// squares (Chan, Golub and LeVeque, 1979).
/// </summary>
internal sealed class RegressionMetric(string name, bool higherIsBetter, Func<RegressionSums, double> compute) : AccumulatedMetric(name, higherIsBetter)
{
    private RegressionSums[]? _outputs;

    /// <summary>Coefficient of determination, <c>1 - squared error / spread of the targets</c>: at most 1; NaN below two examples; with constant targets minus infinity, or NaN where all errors are 0.</summary>
    /// <param name="sums">Sums of one output.</param>
    public static double R2(RegressionSums sums) => sums.Count < 2 ? double.NaN : 1 - (sums.SquaredError / sums.Spread);

    /// <inheritdoc/>
    public override void Reset() => _outputs = null;

    /// <inheritdoc/>
    public override void Update(Tensor predictions, Tensor targets)
    {
        ArgumentNullException.ThrowIfNull(predictions);
        ArgumentNullException.ThrowIfNull(targets);
        if (predictions.numel() != targets.numel() || (predictions.dim() > 0 && targets.dim() > 0 && predictions.Sizes()[0] != targets.Sizes()[0]))
        {
            throw new ShapeException(Name, nameof(predictions), $"as many numbers as targets, {ShapeException.Format(targets.Sizes())}", predictions.Sizes(), "A model of one number gives [batch] or [batch, 1].");
        }
        if (targets.numel() == 0)
        {
            return;
        }
        using var scope = NewDisposeScope();
        var rows = targets.dim() == 0 ? 1 : targets.Sizes()[0];
        var outputs = (int)(targets.numel() / rows);
        double[] Read(Tensor tensor) => tensor.detach().cpu().to(ScalarType.Float64).reshape(-1).data<double>().ToArray(); // [rows, outputs]
        var (predicted, truth) = (Read(predictions), Read(targets));
        _outputs ??= [.. Enumerable.Range(0, outputs).Select(_ => new RegressionSums())];
        if (_outputs.Length != outputs)
        {
            throw new DataException($"{Name}: expected batches with {_outputs.Length} outputs like the first, got {outputs}. Call Reset before measuring another model.");
        }
        for (var output = 0; output < outputs; output++)
        {
            _outputs[output].Add(predicted, truth, output, outputs);
        }
    }

    /// <inheritdoc/>
    protected override double Result()
    {
        if (_outputs is null)
        {
            return Undefined("no example has been seen.");
        }
        var value = _outputs.Average(compute);
        return double.IsNaN(value) && _outputs[0].Count < 2 ? Undefined("it needs two examples at least.") : value;
    }
}

/// <summary>Sums over the examples of one output.</summary>
internal sealed class RegressionSums
{
    private double _mean;

    /// <summary>Number of examples.</summary>
    public long Count { get; private set; }

    /// <summary>Sum of absolute errors.</summary>
    public double AbsoluteError { get; private set; }

    /// <summary>Sum of squared errors.</summary>
    public double SquaredError { get; private set; }

    /// <summary>Sum of squared distances of the targets from their mean.</summary>
    public double Spread { get; private set; }

    /// <summary>Takes in one column of a batch.</summary>
    /// <param name="predicted">Predictions, row by row.</param>
    /// <param name="truth">Targets, row by row.</param>
    /// <param name="column">The column.</param>
    /// <param name="columns">Number of columns.</param>
    public void Add(ReadOnlySpan<double> predicted, ReadOnlySpan<double> truth, int column, int columns)
    {
        var (count, sum) = (truth.Length / columns, 0.0);
        for (var i = column; i < truth.Length; i += columns)
        {
            var error = predicted[i] - truth[i];
            AbsoluteError += Math.Abs(error);
            SquaredError += error * error;
            sum += truth[i];
        }
        var (mean, spread) = (sum / count, 0.0);
        for (var i = column; i < truth.Length; i += columns)
        {
            spread += (truth[i] - mean) * (truth[i] - mean);
        }
        var (total, distance) = (Count + count, mean - _mean);
        Spread += spread + (distance * distance * Count * count / total);
        _mean += distance * count / total;
        Count = total;
    }
}

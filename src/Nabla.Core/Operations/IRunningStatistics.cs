namespace Nabla.Core;

/// <summary>
/// A layer that keeps running statistics of its batches, such as a batch normalisation. Through it the statistics can be computed anew after
/// the weights were averaged, by code that knows no layer.
/// </summary>
public interface IRunningStatistics
{
    /// <summary>Share of the newest batch in the running statistics, in [0, 1]; null: a plain average over all batches.</summary>
    double? Momentum { get; set; }
}

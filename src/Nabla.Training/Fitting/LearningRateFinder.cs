using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// Looks for a learning rate by a short run in which the rate grows exponentially (Smith, 2017, arXiv:1506.01186). The suggestion is where the
/// smoothed loss falls most steeply over the logarithm of the rate. The module is afterwards as it was before.
/// </summary>
public sealed class LearningRateFinder
{
    private const double Smoothing = 0.9;    // share of the past in the smoothed loss
    private const double Divergence = 4;     // times the smallest loss ends the run, as in fastai
    private const int Ignored = 3;           // points at each end, where the smoothed loss says little
    private readonly TrainingOptions _options;
    private readonly ILogger _logger;

    /// <summary>Creates a finder.</summary>
    /// <param name="options">The optimiser, clipping and so on to look for a rate for.</param>
    /// <param name="logger">Hears of the result; null: nobody.</param>
    public LearningRateFinder(TrainingOptions options, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _logger) = (options, logger ?? NullLogger.Instance);
    }

    /// <summary>Smallest rate tried. Default: 1e-6.</summary>
    public double Lowest { get; init; } = 1e-6;

    /// <summary>Largest rate tried. Default: 1.</summary>
    public double Highest { get; init; } = 1;

    /// <summary>Steps from the one to the other, at least 10. Default: 100.</summary>
    public int Steps { get; init; } = 100;

    /// <summary>Runs the search.</summary>
    /// <param name="task">What to train, its module on the context's device; it is put back afterwards.</param>
    /// <param name="train">Training batches, read from the first epoch on, again when they run out.</param>
    /// <param name="context">Device and seed.</param>
    /// <param name="cancellationToken">Leaves at once; the module is put back.</param>
    public LearningRateFinding Find(TrainingTask task, IBatchLoader train, TrainerContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(train);
        ArgumentNullException.ThrowIfNull(context);
        ArgumentOutOfRangeException.ThrowIfLessThan(Steps, 10);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Lowest);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(Highest, Lowest);
        var wasTraining = task.Module.training;
        using var scope = NewDisposeScope();
        var saved = Copy(task.Module);
        try
        {
            task.Module.train();
            var finding = Suggest(Sweep(task, train, context, cancellationToken), _options.Optimizer.LearningRate);
            TrainingLog.LearningRateFound(_logger, finding.Suggestion, finding.Points.Count);
            return finding;
        }
        finally
        {
            ModuleState.Load(task.Module, saved, "the module before the search");
            task.Module.train(wasTraining);
        }
    }

    /// <summary>The rate of the steepest fall before the smallest loss; the fallback when the loss does not fall.</summary>
    internal static LearningRateFinding Suggest(IReadOnlyList<LearningRatePoint> points, double fallback)
    {
        var (best, steepest) = (fallback, 0.0);
        var end = points.Count == 0 ? 0 : points.Index().MinBy(point => point.Item.Loss).Index;
        for (var i = Math.Max(1, Ignored); i < Math.Min(end, points.Count - Ignored); i++)
        {
            var slope = (points[i + 1].Loss - points[i - 1].Loss) / Math.Log(points[i + 1].LearningRate / points[i - 1].LearningRate);
            (best, steepest) = slope < steepest ? (points[i].LearningRate, slope) : (best, steepest);
        }
        return new(best, points);
    }

    private List<LearningRatePoint> Sweep(TrainingTask task, IBatchLoader train, TrainerContext context, CancellationToken cancellationToken)
    {
        var options = _options with { EmaDecay = null, Averaging = null, Optimizer = _options.Optimizer with { LearningRate = Lowest } };
        using var runner = new StepRunner(task, options, context, PrecisionPolicy.Resolve(_options.Precision, context.Device, WorkKinds.Of(task.Module)), logger: _logger);
        var schedule = new Growth(Math.Pow(Highest / Lowest, 1.0 / (Steps - 1)));
        List<LearningRatePoint> points = [];
        var (smooth, smallest) = (0.0, double.PositiveInfinity);
        try
        {
            foreach (var batch in Endless(train, cancellationToken).Take(Steps))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var step = points.Count;
                runner.Accumulate(batch, step, 0, []);
                runner.Losses.Flush();
                var loss = LossMeter.Mean(runner.Losses.Window);
                runner.Losses.ResetWindow();
                smooth = (Smoothing * smooth) + ((1 - Smoothing) * loss);
                var corrected = smooth / (1 - Math.Pow(Smoothing, step + 1)); // the mean starts at 0
                if (!double.IsFinite(corrected) || (step > Ignored && corrected > Divergence * smallest))
                {
                    break;
                }
                smallest = Math.Min(smallest, corrected);
                var (learningRate, _, _) = runner.Update(step, 0, schedule, report: false);
                points.Add(new(learningRate, corrected));
            }
        }
        catch (TrainingException) when (points.Count > 0)
        {
            // A loss that is not a number is what this search provokes: it marks the end of the usable rates.
        }
        return points;
    }

    private static IEnumerable<Batch> Endless(IBatchLoader train, CancellationToken cancellationToken)
    {
        for (var epoch = 0; ; epoch++)
        {
            var any = false;
            foreach (var batch in train.ReadEpoch(epoch, cancellationToken: cancellationToken))
            {
                any = true;
                yield return batch;
            }
            if (!any)
            {
                yield break;
            }
        }
    }

    private static Dictionary<string, Tensor> Copy(Module module)
    {
        using var noGradient = no_grad();
        return ModuleState.Collect(module).ToDictionary(entry => entry.Key, entry => entry.Value.detach().clone(), StringComparer.Ordinal);
    }

    private sealed class Growth(double factor) : Schedule
    {
        public override double Factor(long step) => Math.Pow(factor, step);
    }
}

/// <summary>What a search for a learning rate found.</summary>
/// <param name="Suggestion">The rate where the loss falls most steeply; the configured one when it falls nowhere.</param>
/// <param name="Points">The curve.</param>
public sealed record LearningRateFinding(double Suggestion, IReadOnlyList<LearningRatePoint> Points);

/// <summary>One step of the search.</summary>
/// <param name="LearningRate">The rate.</param>
/// <param name="Loss">The smoothed loss before the step.</param>
public readonly record struct LearningRatePoint(double LearningRate, double Loss);

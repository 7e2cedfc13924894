using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// One optimiser step: forward and backward of its batches, then clipping and the update. Gradients of several batches are weighted by
/// their examples, so the step equals that of one large batch. Owns the optimiser, the average and the scaler. Not thread-safe.
/// </summary>
internal sealed partial class StepRunner : IDisposable
{
    private readonly TrainingTask _task;
    private readonly TrainingOptions _options;
    private readonly TrainerContext _context;
    private readonly Parameter[] _trained;
    private readonly WeightPenalty _penalty;
    private readonly YoungGarbage _garbage = new();
    private readonly SharpnessAware? _sharpness;
    private readonly HeldBatches _held;
    private readonly bool _computesAgain;
    private long _firstWeight, _weight;
    private double _lossSum;
    private int _batches;

    public StepRunner(TrainingTask task, TrainingOptions options, TrainerContext context, ComputePrecision precision, long? totalSteps = null, long? stepsPerEpoch = null, ILogger? logger = null)
    {
        _logger = logger ?? NullLogger.Instance;
        (_task, _options, _context, Precision) = (task, options, context, precision);
        Parameters = [.. ModuleState.Parameters(task.Module).Where(parameter => parameter.Value.requires_grad)];
        _trained = [.. Parameters.Select(parameter => parameter.Value)];
        _penalty = new(options.Regularization, Parameters);
        Optimizer = OptimizerFactory.Create(options.Optimizer, Parameters);
        PeakLearningRate = options.Optimizer.LearningRate;
        Average = RunAverage.Of(task.Module, Optimizer, options, totalSteps, stepsPerEpoch);
        Scaler = precision.NeedsGradientScaler ? new() : null;
        _sharpness = options.Sam is { } sam ? new(Parameters, sam) : null;
        _computesAgain = _sharpness is not null || Optimizer.NeedsClosure;
        _held = new(task.Module);
    }

    /// <summary>Trained parameters.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    public Optimizer Optimizer { get; }

    public RunAverage? Average { get; }

    public GradientScaler? Scaler { get; }

    public ComputePrecision Precision { get; }

    public LossMeter Losses { get; } = new();

    /// <summary>Learning rate where the schedule's factor is 1.</summary>
    public double PeakLearningRate { get; set; }

    /// <summary>Batches since the last update.</summary>
    public int PendingBatches => _batches;

    /// <summary>Forward and backward of one batch. The batch is disposed, at the latest when the step ends.</summary>
    /// <param name="batch">The batch, of any device.</param>
    /// <param name="step">Step that it belongs to, from 0.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="measures">Take in the predictions.</param>
    /// <exception cref="TrainingException">The loss is not finite, or the native library refuses the batch.</exception>
    /// <exception cref="MemoryException">Memory is not enough for one example.</exception>
    public void Accumulate(Batch batch, long step, int epoch, IReadOnlyList<Metric> measures)
    {
        _held.Hold(batch);
        if (batch.Count == 0)
        {
            throw new DataException($"Step {step} (epoch {epoch}): the batch holds no example. A loader must leave empty batches out; check batch_size, drop_last and the length of the data.");
        }
        ComputeHeld(step, epoch, measures);
        if (!_computesAgain && _options.AccumulateBatches == 1)
        {
            _held.Clear();
        }
    }

    /// <summary>The update from all gradients since the last one.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="schedule">Gives rate and momentum.</param>
    /// <param name="report">Whether to read what waits for the device.</param>
    /// <returns>Learning rate, weight of the step's loss, and the gradients' norm before clipping when it is measured and reported.</returns>
    /// <exception cref="TrainingException">A gradient is not finite.</exception>
    public (double LearningRate, long Weight, double? GradientNorm) Update(long step, int epoch, Schedule schedule, bool report)
    {
        using var scope = NewDisposeScope();
        _hasUpdated = true;
        if (IsSpoiled(step, epoch))
        {
            Optimizer.ZeroGradients();
            _held.Clear();
            (_firstWeight, _weight, _batches, _computed, _lossSum) = (0, 0, 0, 0, 0);
            LeaveOut();
            return (PeakLearningRate * schedule.Factor(step), 0, null);
        }
        (LeftOut, SkippedInRow) = (null, 0);
        if (_sharpness is not null)
        {
            _held.KeepBuffers();
            _sharpness.Climb();
            try
            {
                Recompute(step, epoch);
            }
            finally
            {
                _sharpness.Return();
            }
        }
        Scaler?.Unscale(_trained);
        Weigh();
        var norm = Clip(step, epoch, report);
        Optimizer.LearningRate = PeakLearningRate * schedule.Factor(step);
        if (schedule.Momentum(step) is { } momentum)
        {
            Optimizer.Momentum = momentum;
        }
        if (Optimizer.NeedsClosure)
        {
            StepWithClosure(step, epoch);
        }
        else if (Scaler is not null)
        {
            Scaler.Step(Optimizer);
        }
        else
        {
            Optimizer.Step();
        }
        Optimizer.ZeroGradients();
        _held.Clear();
        Average?.OnStep(step);
        var weight = _weight;
        (_firstWeight, _weight, _batches, _computed, _lossSum) = (0, 0, 0, 0, 0);
        _garbage.CollectIfMuch();
        return (Optimizer.LearningRate, weight, norm);
    }

    public void Dispose()
    {
        Optimizer.ZeroGradients();
        Optimizer.Dispose();
        Average?.Dispose();
        _sharpness?.Dispose();
        _held.Dispose();
        Losses.Dispose();
        DisposeBuffers();
    }

    /// <summary>The gradients of the whole step from those of its batches, with the penalty's.</summary>
    private void Weigh()
    {
        if (_weight != _firstWeight)
        {
            Gradients.Multiply(_trained, (double)_firstWeight / _weight);
        }
        _penalty.AddToGradients();
    }

    /// <summary>A step of a rule that searches: its loss is that of the batches with the penalty, whose gradients lie ready for the first time.</summary>
    private void StepWithClosure(long step, int epoch)
    {
        var isFirst = true;
        _held.KeepBuffers();
        Optimizer.Step(() =>
        {
            if (!isFirst)
            {
                Recompute(step, epoch);
                Weigh();
            }
            isFirst = false;
            return (_weight > 0 ? _lossSum / _weight : 0) + _penalty.Value();
        });
    }

    private double? Clip(long step, int epoch, bool report)
    {
        if (_options.GradientClippingValue is { } limit)
        {
            Gradients.ClipValue(_trained, limit);
        }
        var order = _options.GradientClippingNorm;
        if (_options.GradientClipping is not { } maximum)
        {
            if (report && Scaler is null && Gradients.FirstNonFinite(Parameters) is { } bad)
            {
                throw NumericFault.InGradient(step, epoch, bad);
            }
            return null;
        }
        if (_context.Device.type != DeviceType.CPU)
        {
            var clipped = Gradients.ClipNorm(_trained, maximum, order);
            return report ? clipped.to(ScalarType.Float64).cpu().item<double>() : null;
        }
        // On the CPU the norm is read at no cost, so an undefined one is found before it spreads to all gradients.
        var norm = Gradients.Norm(_trained, order).to(ScalarType.Float64).item<double>();
        if (!double.IsFinite(norm) && Scaler is null)
        {
            throw NumericFault.InGradient(step, epoch, Gradients.FirstNonFinite(Parameters) ?? "all parameters together: their norm overflows");
        }
        if (norm > maximum)
        {
            Gradients.Multiply(_trained, maximum / (norm + 1e-6)); // 1e-6 as in PyTorch's clip_grad_norm_
        }
        return report ? norm : null;
    }
}

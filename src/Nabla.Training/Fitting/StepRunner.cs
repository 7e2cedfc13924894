using System.Runtime.InteropServices;
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
    private readonly SharpnessAware? _sharpness;
    private readonly HeldBatches? _held;
    private long _firstWeight, _weight;
    private double _lossSum;
    private int _batches;

    public StepRunner(TrainingTask task, TrainingOptions options, TrainerContext context, ComputePrecision precision, long? totalSteps = null, long? stepsPerEpoch = null)
    {
        (_task, _options, _context, Precision) = (task, options, context, precision);
        Parameters = [.. ModuleState.Parameters(task.Module).Where(parameter => parameter.Value.requires_grad)];
        _trained = [.. Parameters.Select(parameter => parameter.Value)];
        _penalty = new(options.Regularization, Parameters);
        Optimizer = OptimizerFactory.Create(options.Optimizer, Parameters);
        PeakLearningRate = options.Optimizer.LearningRate;
        Average = RunAverage.Of(task.Module, Optimizer, options, totalSteps, stepsPerEpoch);
        Scaler = precision.NeedsGradientScaler ? new() : null;
        _sharpness = options.Sam is { } sam ? new(Parameters, sam) : null;
        _held = _sharpness is not null || Optimizer.NeedsClosure ? new(task.Module) : null;
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

    /// <summary>Forward and backward of one batch. The batch is disposed.</summary>
    /// <param name="batch">The batch, of any device.</param>
    /// <param name="step">Step that it belongs to, from 0.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="measures">Take in the predictions.</param>
    /// <exception cref="TrainingException">The loss is not finite, or the native library refuses the batch.</exception>
    public void Accumulate(Batch batch, long step, int epoch, IReadOnlyList<Metric> measures)
    {
        using var scope = NewDisposeScope();
        var here = batch.MoveTo(_context.Device);
        using var free = _held is null ? here : null;
        if (here.Count == 0)
        {
            throw new DataException($"Step {step} (epoch {epoch}): the batch holds no example. A loader must leave empty batches out; check batch_size, drop_last and the length of the data.");
        }
        _held?.Hold(here);
        if (_batches == 0)
        {
            Seeds.SetGlobal(_context.Seed, RandomPurpose.Step, step);
            KeepBuffers();
        }
        try
        {
            StepOutput output;
            using (Precision.Enter(_context.Device.type))
            {
                output = Forward(here, step, epoch);
            }
            CheckScalar(output.Loss);
            if (!IsFinite(output, here, step, epoch))
            {
                _batches++;
                return;
            }
            if (output.Weight > 0 && Losses.Add(output.Loss, output.Weight, step) is { } loss && !double.IsFinite(loss))
            {
                throw NumericFault.InLoss(step, epoch, loss, here, _task.Module, output);
            }
            Backward(output);
            Measure(output, measures);
        }
        catch (ExternalException error)
        {
            throw NativeFault.Of(error, $"Step {step} (epoch {epoch})", here);
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
        if (IsSpoiled(step, epoch))
        {
            Optimizer.ZeroGradients();
            (_firstWeight, _weight, _batches) = (0, 0, 0);
            LeaveOut();
            return (PeakLearningRate * schedule.Factor(step), 0, null);
        }
        (LeftOut, SkippedInRow) = (null, 0);
        if (_sharpness is not null)
        {
            _held!.KeepBuffers();
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
        _held?.Clear();
        Average?.OnStep(step);
        var weight = _weight;
        (_firstWeight, _weight, _batches, _lossSum) = (0, 0, 0, 0);
        return (Optimizer.LearningRate, weight, norm);
    }

    public void Dispose()
    {
        Optimizer.ZeroGradients();
        Optimizer.Dispose();
        Average?.Dispose();
        _sharpness?.Dispose();
        _held?.Dispose();
        Losses.Dispose();
        DisposeBuffers();
    }

    /// <summary>The gradients of the whole step from those of its batches, with the penalty's.</summary>
    private void Weigh()
    {
        if (_batches > 1 && _weight != _firstWeight)
        {
            Gradients.Multiply(_trained, (double)_firstWeight / _weight);
        }
        _penalty.AddToGradients();
    }

    /// <summary>Forward and backward of the step's batches again, with the same random numbers.</summary>
    private void Recompute(long step, int epoch)
    {
        Optimizer.ZeroGradients();
        (_firstWeight, _weight, _batches, _lossSum) = (0, 0, 0, 0);
        Seeds.SetGlobal(_context.Seed, RandomPurpose.Step, step);
        foreach (var batch in _held!.Batches)
        {
            using var scope = NewDisposeScope();
            try
            {
                StepOutput output;
                using (Precision.Enter(_context.Device.type))
                {
                    output = Forward(batch, step, epoch);
                }
                Backward(output);
            }
            catch (ExternalException error)
            {
                throw NativeFault.Of(error, $"Step {step} (epoch {epoch})", batch);
            }
        }
    }

    /// <summary>A step of a rule that searches: its loss is that of the batches with the penalty, whose gradients lie ready for the first time.</summary>
    private void StepWithClosure(long step, int epoch)
    {
        var isFirst = true;
        _held!.KeepBuffers();
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

    private StepOutput Forward(Batch batch, long step, int epoch)
    {
        try
        {
            return _task.Step(batch);
        }
        catch (TrainingException error) // a layer knows what is wrong, but not where in training
        {
            throw new TrainingException($"Step {step} (epoch {epoch}): {error.Message}", error);
        }
    }

    private void Backward(StepOutput output)
    {
        _batches++;
        if (output.Weight == 0)
        {
            return; // a batch with nothing to learn from, such as only ignored targets: its mean is not defined
        }
        _weight += output.Weight;
        _firstWeight = _firstWeight == 0 ? output.Weight : _firstWeight;
        if (Optimizer.NeedsClosure)
        {
            _lossSum += output.Loss.to(ScalarType.Float64).item<double>() * output.Weight;
        }
        // Relative to the first batch, not absolute: keeps float16 gradients in range, and a step of one batch is the plain one.
        var loss = output.Weight == _firstWeight ? output.Loss : output.Loss * ((double)output.Weight / _firstWeight);
        using var direct = DirectGradients.Allow();
        CallbackGuard.Backward(Scaler is null ? loss : Scaler.Scale(loss));
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

    private static void Measure(StepOutput output, IReadOnlyList<Metric> measures)
    {
        if (measures.Count == 0 || output.Predictions is null || output.Targets is null)
        {
            return;
        }
        using var noGradient = no_grad();
        var (predictions, targets) = (output.Predictions.detach(), output.Targets.detach());
        foreach (var measure in measures)
        {
            measure.Update(predictions, targets);
        }
    }

    private static void CheckScalar(Tensor loss)
    {
        if (loss.NumberOfElements != 1 || loss.dim() != 0)
        {
            throw new ShapeException("TrainingTask.Step", "Loss", "a scalar []", loss.shape, "Reduce the loss to its mean.");
        }
        if (!loss.requires_grad)
        {
            throw new TrainingException("TrainingTask.Step: the loss does not depend on any trained parameter. Check that the model is used, that its parameters are not frozen, and that no no_grad lies around the forward pass.");
        }
    }
}

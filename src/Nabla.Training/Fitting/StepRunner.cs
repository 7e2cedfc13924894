using System.Runtime.InteropServices;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// One optimiser step: forward and backward of its batches, then clipping and the update. Gradients of several batches are weighted by
/// their examples, so the step equals that of one large batch. Owns the optimiser, the average and the scaler. Not thread-safe.
/// </summary>
internal sealed class StepRunner : IDisposable
{
    private readonly TrainingTask _task;
    private readonly TrainingOptions _options;
    private readonly TrainerContext _context;
    private readonly Parameter[] _trained;
    private readonly WeightPenalty _penalty;
    private long _firstWeight, _weight;
    private int _batches;

    public StepRunner(TrainingTask task, TrainingOptions options, TrainerContext context, ComputePrecision precision)
    {
        (_task, _options, _context, Precision) = (task, options, context, precision);
        Parameters = [.. ModuleState.Parameters(task.Module).Where(parameter => parameter.Value.requires_grad)];
        _trained = [.. Parameters.Select(parameter => parameter.Value)];
        _penalty = new(options.Regularization, Parameters);
        Optimizer = OptimizerFactory.Create(options.Optimizer, Parameters);
        PeakLearningRate = options.Optimizer.LearningRate;
        Average = options.EmaDecay is { } decay ? new(task.Module, new() { Decay = decay }) : null;
        Scaler = precision.NeedsGradientScaler ? new() : null;
    }

    /// <summary>Trained parameters.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    public Optimizer Optimizer { get; }

    public WeightAverage? Average { get; }

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
        using var here = batch.MoveTo(_context.Device);
        if (_batches == 0)
        {
            Seeds.SetGlobal(_context.Seed, RandomPurpose.Step, step);
        }
        try
        {
            StepOutput output;
            using (Precision.Enter(_context.Device.type))
            {
                output = Forward(here, step, epoch);
            }
            CheckScalar(output.Loss);
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
        Scaler?.Unscale(_trained);
        if (_batches > 1 && _weight != _firstWeight)
        {
            Gradients.Multiply(_trained, (double)_firstWeight / _weight);
        }
        _penalty.AddToGradients();
        var norm = Clip(step, epoch, report);
        Optimizer.LearningRate = PeakLearningRate * schedule.Factor(step);
        if (schedule.Momentum(step) is { } momentum)
        {
            Optimizer.Momentum = momentum;
        }
        if (Scaler is not null)
        {
            Scaler.Step(Optimizer);
        }
        else
        {
            Optimizer.Step();
        }
        Optimizer.ZeroGradients();
        Average?.Update();
        var weight = _weight;
        (_firstWeight, _weight, _batches) = (0, 0, 0);
        return (Optimizer.LearningRate, weight, norm);
    }

    public void Dispose()
    {
        Optimizer.ZeroGradients();
        Optimizer.Dispose();
        Average?.Dispose();
        Losses.Dispose();
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
        // Relative to the first batch, not absolute: keeps float16 gradients in range, and a step of one batch is the plain one.
        var loss = output.Weight == _firstWeight ? output.Loss : output.Loss * ((double)output.Weight / _firstWeight);
        using var direct = DirectGradients.Allow();
        CallbackGuard.Backward(Scaler is null ? loss : Scaler.Scale(loss));
    }

    private double? Clip(long step, int epoch, bool report)
    {
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
            var clipped = Gradients.ClipNorm(_trained, maximum);
            return report ? clipped.to(ScalarType.Float64).cpu().item<double>() : null;
        }
        // On the CPU the norm is read at no cost, so an undefined one is found before it spreads to all gradients.
        var norm = Gradients.Norm(_trained).to(ScalarType.Float64).item<double>();
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

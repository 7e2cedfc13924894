using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>Forward and backward of the batches of a step, each in one or more parts.</summary>
internal sealed partial class StepRunner
{
    private readonly ILogger _logger;
    private int _computed; // batches of the step whose gradients are there

    /// <summary>
    /// Parts in which each batch is computed, their gradients adding up to those of the whole; 1 until memory was not enough. Batch
    /// normalisation then sees the parts, as with a smaller batch.
    /// </summary>
    public int Parts { get; set; } = 1;

    /// <summary>Whether a batch that does not fit is computed in parts; else the error is thrown.</summary>
    public bool CanSplit { get; init; } = true;

    /// <summary>Computes the batches of the step that have not been, in smaller parts where memory is not enough.</summary>
    private void ComputeHeld(long step, int epoch, IReadOnlyList<Metric> measures)
    {
        while (_computed < _held.Batches.Count)
        {
            // Earlier batches of the step are computed again after a failure, but have been counted already.
            var isCounted = _computed == _held.Batches.Count - 1;
            try
            {
                Compute(_held.Batches[_computed], step, epoch, isCounted ? measures : null);
                _computed++;
            }
            catch (MemoryException) when (MaySplit)
            {
                // A backward pass that broke off has left parts of gradients: the step starts again.
                Split(step);
                RestoreBuffers();
                StartAgain();
                _computed = 0;
            }
            catch (NoDeterministicKernelException refusal)
            {
                GiveUpDeterminism(step, refusal);
                RestoreBuffers();
                StartAgain();
                _computed = 0;
            }
        }
    }

    /// <summary>Forward and backward of the step's batches again, with the same random numbers.</summary>
    private void Recompute(long step, int epoch)
    {
        while (true)
        {
            StartAgain();
            Seeds.SetGlobal(_context.Seed, RandomPurpose.Step, step);
            try
            {
                foreach (var batch in _held.Batches)
                {
                    using var scope = NewDisposeScope();
                    foreach (var (start, count) in PartsOf(batch.Count))
                    {
                        ComputePart(batch, start, count, step, epoch, isFirst: false);
                    }
                    _batches++;
                }
                return;
            }
            catch (MemoryException) when (MaySplit)
            {
                Split(step);
            }
            catch (NoDeterministicKernelException refusal)
            {
                GiveUpDeterminism(step, refusal);
            }
        }
    }

    private void GiveUpDeterminism(long step, NoDeterministicKernelException refusal)
    {
        DeterministicKernels.GiveUp();
        TrainingLog.NotDeterministic(_logger, step, refusal.Message);
    }

    private bool MaySplit => CanSplit && Parts < _held.Batches.Max(batch => batch.Count);

    private void Split(long step)
    {
        TrainingLog.BatchSplit(_logger, step, Parts, Parts * 2);
        Parts *= 2;
    }

    private void StartAgain()
    {
        Optimizer.ZeroGradients();
        (_firstWeight, _weight, _batches, _lossSum) = (0, 0, 0, 0);
    }

    /// <summary>Forward and backward of a batch in its parts; what it gave is counted when all went well.</summary>
    private void Compute(Batch batch, long step, int epoch, IReadOnlyList<Metric>? measures)
    {
        using var scope = NewDisposeScope();
        if (_batches == 0)
        {
            Seeds.SetGlobal(_context.Seed, RandomPurpose.Step, step);
            KeepBuffers();
        }
        List<StepOutput> outputs = [];
        foreach (var (start, count) in PartsOf(batch.Count))
        {
            outputs.Add(ComputePart(batch, start, count, step, epoch, isFirst: true));
        }
        _batches++;
        if (measures is null)
        {
            return;
        }
        using (_context.Profiler?.Measure(ProfilePhases.Metrics))
        {
            foreach (var output in outputs)
            {
                if (output.Weight > 0)
                {
                    Losses.Add(output.Loss, output.Weight, step);
                }
                Measure(output, measures);
            }
        }
    }

    /// <summary>Forward and backward of some examples of a batch.</summary>
    /// <returns>The output without its graph, which is what holds the memory of a step; nothing where the loss spoils the step.</returns>
    private StepOutput ComputePart(Batch batch, long start, long count, long step, int epoch, bool isFirst)
    {
        using var scope = NewDisposeScope();
        // A copy on another device is made from a slice, so that the batch stays for the case that memory is not enough.
        using var slice = batch.Slice(start, count);
        using var part = slice.MoveTo(_context.Device);
        try
        {
            StepOutput output;
            using (_context.Profiler?.Measure(ProfilePhases.Forward))
            using (Precision.Enter(_context.Device.type))
            {
                output = Forward(part, step, epoch);
            }
            CheckScalar(output.Loss);
            if (isFirst && !IsFinite(output, part, step, epoch))
            {
                return default;
            }
            if (isFirst && output.Weight > 0 && LossMeter.Read(output.Loss) is { } loss && !double.IsFinite(loss))
            {
                throw NumericFault.InLoss(step, epoch, loss, part, _task.Module, output);
            }
            using (_context.Profiler?.Measure(ProfilePhases.Backward))
            {
                Backward(output);
            }
            return new(
                output.Loss.detach().MoveToOuterDisposeScope(), output.Weight,
                output.Predictions?.detach().MoveToOuterDisposeScope(), output.Targets?.detach().MoveToOuterDisposeScope());
        }
        catch (ExternalException error) when (DeterministicKernels.AreOn && DeterministicKernels.IsRefusal(error))
        {
            throw new NoDeterministicKernelException(error);
        }
        catch (Exception error) when (error is ExternalException or OutOfMemoryException)
        {
            throw NativeFault.Of(error, $"Step {step} (epoch {epoch})", part);
        }
    }

    private IEnumerable<(long Start, long Count)> PartsOf(long examples)
    {
        var parts = Math.Min(Parts, examples);
        for (var part = 0L; part < parts; part++)
        {
            var (start, end) = (examples * part / parts, examples * (part + 1) / parts);
            yield return (start, end - start);
        }
    }

    private StepOutput Forward(Batch batch, long step, int epoch)
    {
        using var direct = _task.IsForwardOnly ? DirectGradients.Expect() : default;
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
        var loss = output.Weight == _firstWeight ? output.Loss : output.Loss * Number.Of((double)output.Weight / _firstWeight);
        using var direct = DirectGradients.Allow();
        CallbackGuard.Backward(Scaler is null ? loss : Scaler.Scale(loss));
    }

    private static void Measure(StepOutput output, IReadOnlyList<Metric> measures)
    {
        if (measures.Count == 0 || output.Predictions is null || output.Targets is null)
        {
            return;
        }
        using var noGradient = no_grad();
        foreach (var measure in measures)
        {
            measure.Update(output.Predictions, output.Targets);
        }
    }

    private static void CheckScalar(Tensor loss)
    {
        if (loss.NumberOfElements != 1 || loss.dim() != 0)
        {
            throw new ShapeException("TrainingTask.Step", "Loss", "a scalar []", loss.Sizes(), "Reduce the loss to its mean.");
        }
        if (!loss.requires_grad)
        {
            throw new TrainingException("TrainingTask.Step: the loss does not depend on any trained parameter. Check that the model is used, that its parameters are not frozen, and that no no_grad lies around the forward pass.");
        }
    }
}

using System.Runtime.InteropServices;
using Nabla.Core;
using Nabla.Data;

namespace Nabla.Training;

/// <summary>Evaluates a task on a split, without gradients and in evaluation mode, one scope for each batch.</summary>
internal static class Evaluator
{
    /// <summary>Runs over one epoch of the loader.</summary>
    public static EvaluationResult Run(
        TrainingTask task, IBatchLoader loader, string split, Device device, ComputePrecision precision, TimeProvider time,
        Action<Batch, StepOutput>? onBatch = null, Action<long>? onProgress = null, CancellationToken cancellationToken = default)
    {
        var start = time.GetTimestamp();
        var measures = task.CreateMetrics(split);
        foreach (var measure in measures)
        {
            measure.Reset();
        }
        using var losses = new LossMeter();
        var (examples, batches) = (0L, 0L);
        var wasTraining = task.Module.training;
        task.Module.eval();
        try
        {
            foreach (var batch in loader.ReadEpoch(0, cancellationToken: cancellationToken))
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    batch.Dispose();
                    cancellationToken.ThrowIfCancellationRequested();
                }
                examples += EvaluateBatch(task, batch, split, batches, device, precision, losses, measures, onBatch);
                batches++;
                onProgress?.Invoke(batches);
            }
        }
        finally
        {
            task.Module.train(wasTraining);
        }
        if (batches == 0)
        {
            throw new DataException($"Evaluation of '{split}': expected at least one batch, got none. Give this split some rows (data.validation above 0), or leave it out.");
        }
        losses.Flush();
        var metrics = new Dictionary<string, double>(StringComparer.Ordinal) { [$"{split}/loss"] = LossMeter.Mean(losses.Epoch) };
        foreach (var measure in measures)
        {
            metrics[$"{split}/{measure.Name}"] = measure.Compute();
        }
        return new(split, metrics, measures, examples, time.GetElapsedTime(start));
    }

    private static long EvaluateBatch(
        TrainingTask task, Batch batch, string split, long number, Device device, ComputePrecision precision,
        LossMeter losses, IReadOnlyList<Metric> measures, Action<Batch, StepOutput>? onBatch)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var here = batch.MoveTo(device);
        try
        {
            StepOutput output;
            using (precision.Enter(device.type))
            {
                output = task.Step(here);
            }
            if (output.Weight > 0)
            {
                losses.Add(output.Loss, output.Weight, number);
                if (losses.IsFull)
                {
                    losses.Flush();
                }
            }
            if (output.Predictions is not null && output.Targets is not null)
            {
                foreach (var measure in measures)
                {
                    measure.Update(output.Predictions, output.Targets);
                }
            }
            onBatch?.Invoke(here, output);
            return here.Count;
        }
        catch (ExternalException error)
        {
            throw NativeFault.Of(error, $"Evaluation of '{split}', batch {number}", here);
        }
    }
}

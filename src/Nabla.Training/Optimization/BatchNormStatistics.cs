using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// Computes the running statistics of a model's batch normalisations anew, as they must be after its weights were averaged: the average has
/// never seen a batch (Izmailov et al., 2018, section 3.2). Each batch counts the same, whatever its size; PyTorch's <c>update_bn</c>.
/// </summary>
public static class BatchNormStatistics
{
    private const string Mean = "running_mean", Variance = "running_var", Count = "num_batches_tracked";

    /// <summary>Whether a model has running statistics that <see cref="Update{TBatch}"/> computes.</summary>
    /// <param name="module">The model.</param>
    public static bool Exist(Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        return Layers(module).Any();
    }

    /// <summary>Resets the statistics and runs the model over batches in training mode, without gradients. Mode and momenta are put back.</summary>
    /// <typeparam name="TBatch">Type of a batch.</typeparam>
    /// <param name="module">The model.</param>
    /// <param name="batches">The batches; at least one.</param>
    /// <param name="forward">Runs the model on a batch.</param>
    /// <exception cref="DataException">There is no batch.</exception>
    public static void Update<TBatch>(Module module, IEnumerable<TBatch> batches, Action<TBatch> forward)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(batches);
        ArgumentNullException.ThrowIfNull(forward);
        var layers = Layers(module).ToArray();
        if (layers.Length == 0)
        {
            return;
        }
        var momenta = Array.ConvertAll(layers, layer => layer.Momentum);
        var wasTraining = module.training;
        module.train();
        try
        {
            foreach (var layer in layers)
            {
                layer.Reset();
            }
            var seen = 0;
            foreach (var batch in batches)
            {
                seen++;
                foreach (var layer in layers)
                {
                    layer.Momentum = 1.0 / seen; // the mean of all batches so far
                }
                using var scope = NewDisposeScope();
                using var noGradients = no_grad();
                forward(batch);
            }
            if (seen == 0)
            {
                throw new DataException("The statistics of batch normalisation need at least one training batch, and there is none. Check the training data, or switch averaging.batch_norm_batches to 0.");
            }
        }
        finally
        {
            foreach (var (layer, momentum) in layers.Zip(momenta))
            {
                layer.Momentum = momentum;
            }
            module.train(wasTraining);
        }
    }

    private static IEnumerable<Layer> Layers(Module module)
        => module.modules().Prepend(module).Distinct()
            .Where(part => part is IRunningStatistics or TorchSharp.Modules.NormBase && part.named_buffers(recurse: false).Any(buffer => buffer.name == Mean))
            .Select(part => new Layer(part));

    private sealed class Layer(Module module)
    {
        public double? Momentum
        {
            get => module is IRunningStatistics statistics ? statistics.Momentum : ((TorchSharp.Modules.NormBase)module).momentum;
            set
            {
                if (module is IRunningStatistics statistics)
                {
                    statistics.Momentum = value;
                }
                else
                {
                    ((TorchSharp.Modules.NormBase)module).momentum = value;
                }
            }
        }

        public void Reset()
        {
            using var noGradients = no_grad();
            foreach (var (name, buffer) in module.named_buffers(recurse: false))
            {
                if (name is Mean or Count)
                {
                    buffer.zero_();
                }
                else if (name is Variance)
                {
                    buffer.fill_(Number.Of(1));
                }
            }
        }
    }
}

using Nabla.Data;

namespace Nabla.Training;

/// <summary>
/// The batches of one optimiser step, kept for rules that compute the loss again (sharpness-aware minimisation, L-BFGS), and the buffers as the
/// first pass left them: running statistics must see a batch once. Owns the batches.
/// </summary>
internal sealed class HeldBatches(Module module) : IDisposable
{
    private readonly List<Batch> _batches = [];
    private readonly List<(Tensor Buffer, Tensor Value)> _buffers = [];

    /// <summary>The batches, in order.</summary>
    public IReadOnlyList<Batch> Batches => _batches;

    /// <summary>Keeps a batch until <see cref="Clear"/>.</summary>
    /// <param name="batch">The batch; it is taken over.</param>
    public void Hold(Batch batch) => _batches.Add(batch);

    /// <summary>Notes the buffers of the model.</summary>
    public void KeepBuffers()
    {
        using var noGradients = no_grad();
        _buffers.AddRange(module.buffers().Select(buffer => (buffer, buffer.clone().DetachFromDisposeScope())));
    }

    /// <summary>Puts the buffers back and frees all that was kept.</summary>
    public void Clear()
    {
        using var noGradients = no_grad();
        foreach (var (buffer, value) in _buffers)
        {
            buffer.copy_(value);
            value.Dispose();
        }
        _buffers.Clear();
        foreach (var batch in _batches)
        {
            batch.Dispose();
        }
        _batches.Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();
}

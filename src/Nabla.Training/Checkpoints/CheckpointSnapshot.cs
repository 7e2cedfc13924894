using Nabla.Core;

namespace Nabla.Training;

/// <summary>
/// A copy of what a checkpoint holds, in memory of the processor that is kept from one checkpoint to the next. Training may change its tensors
/// as soon as the copy is made. Owns the copies. Not thread-safe: nobody may take a new copy while the old one is being read.
/// </summary>
internal sealed class CheckpointSnapshot : IDisposable
{
    private readonly Dictionary<string, Tensor> _model = new(StringComparer.Ordinal), _optimizer = new(StringComparer.Ordinal), _average = new(StringComparer.Ordinal);

    /// <summary>Copies the tensors of a content; its state is immutable and taken as it is.</summary>
    public CheckpointContent Take(CheckpointContent content)
    {
        using var noGradient = no_grad();
        return content with
        {
            Model = Copy(content.Model, _model),
            Optimizer = Copy(content.Optimizer, _optimizer),
            Average = content.Average is null ? null : Copy(content.Average, _average),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var buffers in new[] { _model, _optimizer, _average })
        {
            foreach (var buffer in buffers.Values)
            {
                buffer.Dispose();
            }
            buffers.Clear();
        }
    }

    private static Dictionary<string, Tensor> Copy(IReadOnlyDictionary<string, Tensor> tensors, Dictionary<string, Tensor> buffers)
    {
        foreach (var (name, tensor) in tensors)
        {
            if (!buffers.TryGetValue(name, out var buffer) || buffer.dtype != tensor.dtype || !buffer.Sizes().AsSpan().SequenceEqual(tensor.Sizes()))
            {
                buffer?.Dispose();
                buffers[name] = buffer = empty(tensor.Sizes(), tensor.dtype).DetachFromDisposeScope();
            }
            buffer.copy_(tensor);
        }
        foreach (var gone in buffers.Keys.Where(name => !tensors.ContainsKey(name)).ToList())
        {
            buffers.Remove(gone, out var buffer);
            buffer!.Dispose();
        }
        return buffers;
    }
}

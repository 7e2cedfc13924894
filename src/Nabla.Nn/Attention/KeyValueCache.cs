namespace Nabla.Nn;

/// <summary>
/// Keys and values of tokens that were seen, so that generation computes only what is new. Owns its tensors, whatever scopes are open. Not
/// thread-safe.
/// </summary>
public sealed class KeyValueCache : IDisposable
{
    private Tensor? _key, _value, _mask;

    /// <summary>Number of tokens that are remembered.</summary>
    public long Time => _key?.Sizes()[2] ?? 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        _key?.Dispose();
        _value?.Dispose();
        _mask?.Dispose();
        (_key, _value, _mask) = (null, null, null);
    }

    /// <summary>Adds tokens, <c>[batch, heads, time, headSize]</c> each.</summary>
    internal void Append(Tensor key, Tensor value)
    {
        var (oldKey, oldValue) = (_key, _value);
        _key = Own(oldKey is null ? key.clone() : torch.cat([oldKey, key], 2));
        _value = Own(oldValue is null ? value.clone() : torch.cat([oldValue, value], 2));
        oldKey?.Dispose();
        oldValue?.Dispose();
    }

    /// <summary>Says which tokens are real, as attention wants it.</summary>
    internal void SetMask(Tensor? mask) => _mask = mask is null ? null : Own(mask.clone());

    /// <summary>What is remembered; the cache keeps it.</summary>
    internal (Tensor Key, Tensor Value, Tensor? Mask) Read() => (_key!, _value!, _mask);

    private static Tensor Own(Tensor tensor)
    {
        tensor.DetachFromDisposeScope();
        return tensor;
    }
}

namespace Nabla.Data;

/// <summary>
/// Named tensors of some examples, ready for a model. The receiver owns the batch and disposes it; a batch made by a loader
/// belongs to no dispose scope.
/// </summary>
public sealed class Batch : IDisposable
{
    /// <summary>Field of the main input: pictures <c>[batch, channels, height, width]</c>, token ids <c>[batch, time]</c> (int64), numbers <c>[batch, features]</c>.</summary>
    public const string Inputs = "inputs";

    /// <summary>Field of what is to be predicted: class ids <c>[batch]</c> (int64), class probabilities <c>[batch, classes]</c> (float32), values <c>[batch]</c> (float32), next tokens <c>[batch, time]</c> (int64, -100 where there is none).</summary>
    public const string Targets = "targets";

    /// <summary>Field that is true where <see cref="Inputs"/> holds a real token, <c>[batch, time]</c> (bool).</summary>
    public const string Mask = "mask";

    /// <summary>Field of the number of real tokens, <c>[batch]</c> (int64).</summary>
    public const string Lengths = "lengths";

    /// <summary>Field of categorical columns as ids, <c>[batch, columns]</c> (int64); id 0 is "unknown or missing".</summary>
    public const string Categories = "categories";

    /// <summary>Field of the weight of each example in the loss, <c>[batch]</c> (float32).</summary>
    public const string Weights = "weights";

    /// <summary>Field of the number of the text that a token of a packed row belongs to, from 1, 0 for filling, <c>[batch, time]</c> (int64).</summary>
    public const string Documents = "documents";

    /// <summary>Field of the place of a token in its text, from 0, <c>[batch, time]</c> (int64).</summary>
    public const string Positions = "positions";

    private readonly Dictionary<string, Tensor> _fields;

    /// <summary>Takes over the tensors; they are detached from any dispose scope.</summary>
    /// <param name="fields">Tensors by field name; the first axis of each is the batch.</param>
    public Batch(IEnumerable<KeyValuePair<string, Tensor>> fields)
    {
        _fields = new(fields, StringComparer.Ordinal);
        foreach (var tensor in _fields.Values)
        {
            tensor.DetachFromDisposeScope();
        }
    }

    /// <summary>Names of the fields that are there.</summary>
    public IReadOnlyCollection<string> Fields => _fields.Keys;

    /// <summary>Number of examples.</summary>
    public long Count => _fields.TryGetValue(Inputs, out var inputs) ? inputs.size(0) : _fields.Values.First().size(0);

    /// <summary>The tensor of a field. The batch keeps owning it.</summary>
    /// <param name="field">A field's name.</param>
    /// <exception cref="KeyNotFoundException">The batch has no such field.</exception>
    public Tensor this[string field] => _fields.TryGetValue(field, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The batch has no field '{field}'; it has {string.Join(", ", _fields.Keys)}.");

    /// <summary>The tensor of a field, or null. The batch keeps owning it.</summary>
    /// <param name="field">A field's name.</param>
    public Tensor? Find(string field) => _fields.GetValueOrDefault(field);

    /// <summary>Puts <paramref name="value"/> into a field, disposing what was there.</summary>
    /// <param name="field">A field's name.</param>
    /// <param name="value">The new tensor; the batch takes it over.</param>
    public void Replace(string field, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(value);
        if (_fields.Remove(field, out var old) && !ReferenceEquals(old, value))
        {
            old.Dispose();
        }
        value.DetachFromDisposeScope();
        _fields[field] = value;
    }

    /// <summary>Puts the tensors into page-locked memory, from which a CUDA device copies by itself while the processor goes on. Needs a CUDA device.</summary>
    public void Pin()
    {
        foreach (var (field, tensor) in _fields.ToArray())
        {
            if (tensor.device_type == DeviceType.CPU)
            {
                Replace(field, tensor.pin_memory());
            }
        }
    }

    /// <summary>
    /// This batch on <paramref name="device"/>: itself when it is there already, else a copy, after which this one is disposed. The copy of a
    /// pinned batch does not wait for the device; libtorch keeps its memory until the device has read it.
    /// </summary>
    /// <param name="device">Where the tensors shall be.</param>
    public Batch MoveTo(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (_fields.Values.All(tensor => tensor.device_type == device.type && (device.index < 0 || tensor.device_index == device.index)))
        {
            return this;
        }
        var moved = new Batch(_fields.Select(field => KeyValuePair.Create(field.Key, field.Value.to(device, non_blocking: true))));
        Dispose();
        return moved;
    }

    /// <summary>Some examples of this batch, as views of its tensors; the caller disposes them, and this batch stays.</summary>
    /// <param name="start">Number of the first example.</param>
    /// <param name="count">How many, at least 1.</param>
    public Batch Slice(long start, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        var all = Count;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + count, all);
        return new(_fields.Select(field => KeyValuePair.Create(field.Key, count == all ? field.Value.alias() : field.Value.narrow(0, start, count))));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _fields.Values)
        {
            tensor.Dispose();
        }
        _fields.Clear();
    }
}

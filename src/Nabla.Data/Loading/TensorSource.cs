using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Examples held in memory as named tensors whose first axis is the example. A batch is one <c>index_select</c> a field.
/// Pictures may stay <c>uint8</c> in memory and become normalised <c>float32</c> when they are read. Owns its tensors.
/// Reading is thread-safe; disposing while reading is not.
/// </summary>
public sealed class TensorSource : IBatchSource, IDisposable
{
    private readonly Dictionary<string, Tensor> _fields;
    private readonly PixelNormalization? _pixels;
    private readonly Tensor? _scale, _shift;
    private readonly Lazy<long[]?> _classes, _lengths;

    /// <summary>Takes over the tensors; they are detached from any dispose scope.</summary>
    /// <param name="fields">Tensors by field name (see the constants of <see cref="Batch"/>); all have the same first axis.</param>
    /// <param name="pixels">How a <c>uint8</c> field of pictures <c>[examples, channels, height, width]</c> becomes numbers; null leaves all fields as they are.</param>
    /// <exception cref="DataException">There is no field, or the numbers of examples differ.</exception>
    /// <exception cref="ShapeException">The picture field is not <c>[examples, channels, height, width]</c> with the channels of <paramref name="pixels"/>.</exception>
    public TensorSource(IEnumerable<KeyValuePair<string, Tensor>> fields, PixelNormalization? pixels = null)
    {
        ArgumentNullException.ThrowIfNull(fields);
        _fields = new(fields, StringComparer.Ordinal);
        foreach (var tensor in _fields.Values)
        {
            tensor.DetachFromDisposeScope();
        }
        Count = CommonCount(_fields);
        _pixels = pixels;
        if (pixels is not null)
        {
            pixels.Validate();
            CheckPictures(_fields, pixels);
            (_scale, _shift) = pixels.CreateScaleAndShift();
        }
        _classes = new(() => ReadClasses(_fields));
        _lengths = new(() => ReadLengths(_fields));
    }

    /// <inheritdoc/>
    public long Count { get; }

    /// <summary>Names of the fields.</summary>
    public IReadOnlyCollection<string> Fields => _fields.Keys;

    /// <summary>How pictures become numbers when they are read, or null.</summary>
    public PixelNormalization? Pixels => _pixels;

    /// <summary>The whole tensor of a field, as it lies in memory. The source keeps owning it.</summary>
    /// <param name="field">A field's name.</param>
    /// <exception cref="KeyNotFoundException">There is no such field.</exception>
    public Tensor this[string field] => _fields.TryGetValue(field, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"The source has no field '{field}'; it has {string.Join(", ", _fields.Keys)}.");

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(TensorSource), indices, Count);
        using var scope = NewDisposeScope();
        using var selection = torch.tensor(indices.ToArray(), int64);
        var fields = new Dictionary<string, Tensor>(_fields.Count, StringComparer.Ordinal);
        foreach (var (name, values) in _fields)
        {
            var rows = values.index_select(0, selection);
            fields[name] = _scale is not null && _shift is not null && name == _pixels!.Field
                ? rows.to_type(float32).mul_(_scale).add_(_shift)
                : rows;
        }
        return new Batch(fields);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => _lengths.Value is { } lengths ? (int)lengths[index] : 1;

    /// <inheritdoc/>
    public long? ClassOf(long index) => _classes.Value?[index];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _fields.Values)
        {
            tensor.Dispose();
        }
        _scale?.Dispose();
        _shift?.Dispose();
    }

    private static long CommonCount(Dictionary<string, Tensor> fields)
    {
        if (fields.Count == 0)
        {
            throw new DataException("TensorSource: expected at least one field such as 'inputs', got none.");
        }
        foreach (var (name, tensor) in fields)
        {
            if (tensor.dim() == 0)
            {
                throw new DataException($"TensorSource: expected field '{name}' to have the examples as its first axis, got a scalar.");
            }
        }
        var (first, count) = (fields.Keys.First(), fields.Values.First().Sizes()[0]);
        var other = fields.FirstOrDefault(field => field.Value.Sizes()[0] != count);
        return other.Value is null
            ? count
            : throw new DataException($"TensorSource: expected as many examples in every field, got {count} in '{first}' and {other.Value.Sizes()[0]} in '{other.Key}'.");
    }

    private static void CheckPictures(Dictionary<string, Tensor> fields, PixelNormalization pixels)
    {
        if (!fields.TryGetValue(pixels.Field, out var pictures))
        {
            throw new DataException($"TensorSource: pixels shall be scaled in field '{pixels.Field}', but the fields are {string.Join(", ", fields.Keys)}.");
        }
        var channels = pixels.Mean?.Count;
        if (pictures.Sizes() is not [_, var c, _, _] || (channels is { } wanted && wanted != c))
        {
            throw new ShapeException("TensorSource", pixels.Field, $"[examples, channels{(channels is null ? "" : $"={channels}")}, height, width]",
                pictures.Sizes(), "Give one mean and one standard deviation for each channel.");
        }
        if (pictures.dtype != uint8)
        {
            throw new DataException($"TensorSource: expected field '{pixels.Field}' to hold uint8 pixels (0 to 255), got {pictures.dtype}. Leave the normalisation out when values are numbers already.");
        }
    }

    private static long[]? ReadClasses(Dictionary<string, Tensor> fields)
        => fields.TryGetValue(Batch.Targets, out var targets) && targets.dim() == 1 && targets.dtype == int64 ? ToArray(targets) : null;

    private static long[]? ReadLengths(Dictionary<string, Tensor> fields)
    {
        if (fields.TryGetValue(Batch.Lengths, out var lengths))
        {
            return ToArray(lengths);
        }
        if (!fields.TryGetValue(Batch.Mask, out var mask) || mask.dim() != 2)
        {
            return null;
        }
        using var sums = mask.sum(1, type: int64);
        return ToArray(sums);
    }

    private static long[] ToArray(Tensor values)
    {
        using var host = values.to(int64, CPU).contiguous();
        return host.data<long>().ToArray();
    }
}

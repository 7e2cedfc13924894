using System.Buffers.Binary;
using System.Text.Json;

namespace Nabla.Testing;

/// <summary>
/// A safetensors file read for tests: 8 bytes header length, a JSON header with type, shape and offsets, then the raw numbers.
/// Independent of the product's reader, so that a mistake in one does not hide in the other.
/// </summary>
public sealed class GoldenTensors
{
    private readonly Dictionary<string, (string Type, long[] Shape, int Start, int End)> _entries = [];
    private readonly byte[] _bytes;
    private readonly int _dataStart;

    private GoldenTensors(byte[] bytes)
    {
        _bytes = bytes;
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        _dataStart = 8 + headerLength;
        using var header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        foreach (var property in header.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__"))
        {
            var offsets = property.Value.GetProperty("data_offsets");
            _entries[property.Name] = (
                property.Value.GetProperty("dtype").GetString()!,
                [.. property.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())],
                offsets[0].GetInt32(), offsets[1].GetInt32());
        }
    }

    /// <summary>An empty file, for areas without tensors.</summary>
    public static GoldenTensors Empty { get; } = new([2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', (byte)'}']);

    /// <summary>Names of the tensors.</summary>
    public IReadOnlyCollection<string> Keys => _entries.Keys;

    /// <summary>Reads a file whole.</summary>
    /// <param name="path">The file.</param>
    public static GoldenTensors Read(string path) => new(System.IO.File.ReadAllBytes(path));

    /// <summary>Whether there is such a tensor.</summary>
    /// <param name="key">Its name.</param>
    public bool Has(string key) => _entries.ContainsKey(key);

    /// <summary>Shape of a tensor.</summary>
    /// <param name="key">Its name.</param>
    public long[] Shape(string key) => Entry(key).Shape;

    /// <summary>A new tensor with the numbers of <paramref name="key"/>; the caller owns it.</summary>
    /// <param name="key">Its name.</param>
    public Tensor Tensor(string key)
    {
        var (type, shape, start, end) = Entry(key);
        var data = _bytes.AsSpan(_dataStart + start, end - start);
        var tensor = torch.empty(shape, ScalarTypeOf(type));
        if (data.Length > 0)
        {
            tensor.bytes = data;
        }
        return tensor;
    }

    /// <summary>The numbers of a floating-point or integer tensor as doubles, row by row.</summary>
    /// <param name="key">Its name.</param>
    public double[] Doubles(string key)
    {
        using var tensor = Tensor(key);
        using var wide = tensor.to(ScalarType.Float64);
        return wide.numel() == 0 ? [] : wide.data<double>().ToArray();
    }

    private (string Type, long[] Shape, int Start, int End) Entry(string key) => _entries.TryGetValue(key, out var entry)
        ? entry
        : throw new KeyNotFoundException($"The golden file has no tensor '{key}'; it has {string.Join(", ", _entries.Keys.Order(StringComparer.Ordinal).Take(40))} ...");

    private static ScalarType ScalarTypeOf(string type) => type switch
    {
        "F64" => ScalarType.Float64,
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        "I64" => ScalarType.Int64,
        "I32" => ScalarType.Int32,
        "I16" => ScalarType.Int16,
        "I8" => ScalarType.Int8,
        "U8" => ScalarType.Byte,
        "BOOL" => ScalarType.Bool,
        _ => throw new NotSupportedException($"safetensors type {type}"),
    };
}

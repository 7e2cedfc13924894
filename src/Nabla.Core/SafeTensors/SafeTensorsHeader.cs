using System.Buffers.Binary;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Nabla.Core;

/// <summary>
/// The header of a safetensors file: eight bytes of length, then a JSON object. Reading is as strict as the published specification,
/// stricter than its reference reader in four places (duplicate names, white space before the object, a list in place of an object).
/// </summary>
internal sealed record SafeTensorsHeader(IReadOnlyDictionary<string, SafeTensorsEntry> Entries, IReadOnlyDictionary<string, string> Metadata, long DataStart)
{
    private const int LengthBytes = 8;
    private const long MaxHeaderBytes = 100_000_000; // the limit of the reference reader
    private const string MetadataKey = "__metadata__";

    /// <summary>Reads and checks the header of an open file.</summary>
    /// <exception cref="CheckpointException">The file is not a valid safetensors file; the message says where and why.</exception>
    public static SafeTensorsHeader Read(string path, Microsoft.Win32.SafeHandles.SafeFileHandle file)
    {
        var fileLength = RandomAccess.GetLength(file);
        if (fileLength < LengthBytes)
        {
            throw Bad(path, $"expected at least {LengthBytes} bytes, got {fileLength}. The file is cut off; fetch or write it again.");
        }
        Span<byte> lengthBytes = stackalloc byte[LengthBytes];
        SafeTensorsFile.ReadExactly(path, file, lengthBytes, 0);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > MaxHeaderBytes)
        {
            throw Bad(path, $"expected a header of at most {MaxHeaderBytes} bytes, got a length of {length}. This is not a safetensors file, or it is damaged.");
        }
        if ((long)length > fileLength - LengthBytes)
        {
            throw Bad(path, $"expected a header of {length} bytes, got a file with {fileLength - LengthBytes} bytes after the length. The file is cut off; fetch or write it again.");
        }
        var json = new byte[length];
        SafeTensorsFile.ReadExactly(path, file, json, LengthBytes);
        var (entries, metadata) = Parse(path, json);
        CheckCoverage(path, entries, fileLength - LengthBytes - (long)length);
        return new(entries, metadata, LengthBytes + (long)length);
    }

    /// <summary>The header's bytes, length included, padded with spaces so that the data starts at a multiple of 8.</summary>
    public static byte[] Write(IEnumerable<SafeTensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[LengthBytes]);
        // Relaxed: only what JSON itself requires is escaped, as the reference writer does.
        using (var writer = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                writer.WriteStartObject(MetadataKey);
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    writer.WriteString(key, value);
                }
                writer.WriteEndObject();
            }
            foreach (var entry in entries)
            {
                writer.WriteStartObject(entry.Name);
                writer.WriteString("dtype", entry.DataType);
                writer.WriteStartArray("shape");
                foreach (var size in entry.Shape)
                {
                    writer.WriteNumberValue(size);
                }
                writer.WriteEndArray();
                writer.WriteStartArray("data_offsets");
                writer.WriteNumberValue(entry.Begin);
                writer.WriteNumberValue(entry.End);
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }
        var bytes = buffer.ToArray();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)(bytes.Length - LengthBytes));
        return bytes;
    }

    private static (Dictionary<string, SafeTensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(string path, byte[] json)
    {
        if (json.Length == 0 || json[0] != (byte)'{')
        {
            throw Bad(path, "expected a header that starts with '{', got " + (json.Length == 0 ? "an empty header." : $"byte 0x{json[0]:X2}.") + " This is not a safetensors file, or it is damaged.");
        }
        if (!Utf8.IsValid(json))
        {
            throw Bad(path, "expected a header in UTF-8, got other bytes. The file is damaged.");
        }
        // Padding is spaces only; the JSON reader itself would also take tabs and line breaks.
        var end = json.AsSpan().LastIndexOfAnyExcept((byte)' ');
        var (entries, metadata) = (new Dictionary<string, SafeTensorsEntry>(StringComparer.Ordinal), (Dictionary<string, string>?)null);
        try
        {
            var reader = new Utf8JsonReader(json.AsSpan(0, end + 1), new JsonReaderOptions { MaxDepth = 16 });
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                reader.Read();
                if (name == MetadataKey)
                {
                    metadata = metadata is null ? ReadMetadata(path, ref reader) : throw Bad(path, $"expected {MetadataKey} once, got it twice.");
                }
                else if (!entries.TryAdd(name, ReadEntry(path, name, ref reader)))
                {
                    throw Bad(path, $"tensor '{name}': expected each name once, got it twice. The writer of this file is at fault.");
                }
            }
            if (reader.BytesConsumed != end + 1 || json[end] != (byte)'}')
            {
                throw Bad(path, $"expected only spaces after the header's object, got something else at byte {LengthBytes + reader.BytesConsumed}.");
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new CheckpointException($"{path}: expected a header in JSON, got an error: {error.Message} This is not a safetensors file, or it is damaged.", error);
        }
        return (entries, metadata ?? new(StringComparer.Ordinal));
    }

    private static Dictionary<string, string> ReadMetadata(string path, ref Utf8JsonReader reader)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Bad(path, $"expected {MetadataKey} to be an object of strings, got {reader.TokenType}.");
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
            {
                throw Bad(path, $"expected {MetadataKey} '{key}' to be a string, got {reader.TokenType}.");
            }
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw Bad(path, $"expected {MetadataKey} '{key}' once, got it twice.");
            }
        }
        return metadata;
    }

    private static SafeTensorsEntry ReadEntry(string path, string name, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Bad(path, $"tensor '{name}': expected an object with dtype, shape and data_offsets, got {reader.TokenType}.");
        }
        var (type, shape, offsets) = ((string?)null, (long[]?)null, (long[]?)null);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "dtype" when type is null && reader.TokenType == JsonTokenType.String:
                    type = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(path, name, field, ref reader);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(path, name, field, ref reader);
                    break;
                case "dtype" or "shape" or "data_offsets":
                    throw Bad(path, $"tensor '{name}': {field} comes twice or is not of its kind ({reader.TokenType}).");
                default:
                    reader.Skip(); // a later version of the format may say more about a tensor
                    break;
            }
        }
        if (type is null || shape is null || offsets is not [var begin, var end])
        {
            throw Bad(path, $"tensor '{name}': expected dtype, shape and two data_offsets, got {(type is null ? "no dtype" : shape is null ? "no shape" : offsets is null ? "no data_offsets" : $"{offsets.Length} data_offsets")}.");
        }
        var element = SafeTensorsType.Find(type)
            ?? throw Bad(path, $"tensor '{name}': dtype '{type}' is not known. {NearestName.Suggest(type, SafeTensorsType.Names)}");
        CheckSize(path, name, element, shape, begin, end);
        return new(name, type, shape, begin, end);
    }

    private static long[] ReadNumbers(string path, string name, string field, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Bad(path, $"tensor '{name}': expected {field} to be a list of numbers, got {reader.TokenType}.");
        }
        List<long> numbers = [];
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            // Digits only: 8e0, 8.0 and -0 are numbers to JSON but no sizes.
            if (reader.TokenType != JsonTokenType.Number || reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9') || !reader.TryGetInt64(out var number))
            {
                throw Bad(path, $"tensor '{name}': expected whole numbers from 0 to {long.MaxValue} in {field}, got {Show(ref reader)}.");
            }
            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static string Show(ref Utf8JsonReader reader)
        => reader.TokenType == JsonTokenType.Number && reader.ValueSpan.Length <= 40 ? System.Text.Encoding.ASCII.GetString(reader.ValueSpan) : reader.TokenType.ToString();

    private static void CheckSize(string path, string name, SafeTensorsType type, long[] shape, long begin, long end)
    {
        try
        {
            var bits = shape.Aggregate(1L, (product, size) => checked(product * size));
            bits = checked(bits * type.Bits);
            if (bits % 8 != 0 || begin > end || end - begin != bits / 8)
            {
                throw Bad(path, $"tensor '{name}': expected {(bits / 8m).ToString("0.#", CultureInfo.InvariantCulture)} bytes for {type.Name} {ShapeException.Format(shape)}, got data_offsets {begin} to {end}. The file is damaged.");
            }
        }
        catch (OverflowException error)
        {
            throw new CheckpointException($"{path}: tensor '{name}': expected a size below 2^63 bits, got {type.Name} {ShapeException.Format(shape)}. The file is damaged.", error);
        }
    }

    private static void CheckCoverage(string path, Dictionary<string, SafeTensorsEntry> entries, long dataBytes)
    {
        var (position, before) = (0L, "the start");
        foreach (var entry in entries.Values.OrderBy(entry => entry.Begin).ThenBy(entry => entry.End))
        {
            if (entry.Begin != position)
            {
                throw Bad(path, $"tensor '{entry.Name}': expected it to begin at byte {position}, after {before}, got {entry.Begin}: the tensors {(entry.Begin < position ? "overlap" : "leave a hole")}. The file is damaged.");
            }
            (position, before) = (entry.End, $"'{entry.Name}'");
        }
        if (position != dataBytes)
        {
            throw Bad(path, $"expected {position} bytes of data up to the end of {before}, got {dataBytes}. The file is {(dataBytes < position ? "cut off" : "followed by foreign bytes")}; fetch or write it again.");
        }
    }

    private static CheckpointException Bad(string path, string problem) => new($"{path}: {problem}");
}

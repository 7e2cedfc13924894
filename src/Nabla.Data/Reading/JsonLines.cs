using System.Text.Json;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>One line of a JSON lines file.</summary>
/// <param name="Line">Its number, from 1.</param>
/// <param name="Value">The JSON object.</param>
public readonly record struct JsonLine(long Line, JsonElement Value);

/// <summary>Reads JSON lines (one JSON object a line), plain or gzip, as a stream. Blank lines are skipped.</summary>
public static class JsonLines
{
    /// <summary>The objects, one after another; the file is open while they are read.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is missing or damaged, or a line is no JSON object; the message holds the line's number.</exception>
    public static IEnumerable<JsonLine> Read(string path)
    {
        using var stream = DataFile.OpenRead(path);
        using var reader = OpenText(stream);
        for (var number = 1L; NextLine(reader, path, number) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return new(number, Parse(path, number, line));
            }
        }
    }

    /// <summary>The objects, one after another, read asynchronously.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="DataException">The file is missing or damaged, or a line is no JSON object; the message holds the line's number.</exception>
    public static async IAsyncEnumerable<JsonLine> ReadAsync(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stream = DataFile.OpenRead(path);
        using var reader = OpenText(stream);
        for (var number = 1L; await NextLineAsync(reader, path, number, cancellationToken).ConfigureAwait(false) is { } line; number++)
        {
            if (!string.IsNullOrWhiteSpace(line))
            {
                yield return new(number, Parse(path, number, line));
            }
        }
    }

    private static StreamReader OpenText(Stream stream) => new(stream, new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true));

    private static string? NextLine(StreamReader reader, string path, long number)
    {
        try
        {
            return reader.ReadLine();
        }
        catch (System.Text.DecoderFallbackException error)
        {
            throw NotUtf8(path, number, error);
        }
    }

    private static async ValueTask<string?> NextLineAsync(StreamReader reader, string path, long number, CancellationToken cancellationToken)
    {
        try
        {
            return await reader.ReadLineAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (System.Text.DecoderFallbackException error)
        {
            throw NotUtf8(path, number, error);
        }
    }

    private static DataException NotUtf8(string path, long number, Exception error)
        => new($"{path}: expected UTF-8 text, got other bytes at or after line {number}. Convert the file to UTF-8.", error);

    private static JsonElement Parse(string path, long number, string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.Clone()
                : throw new DataException($"{path}, line {number}: expected a JSON object, got {document.RootElement.ValueKind}. JSON lines hold one object on each line.");
        }
        catch (JsonException error)
        {
            throw new DataException($"{path}, line {number}: expected one JSON object on the line, got text that is no JSON (byte {error.BytePositionInLine}): {error.Message}", error);
        }
    }
}

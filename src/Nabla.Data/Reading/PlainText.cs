using System.Text;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Reads UTF-8 text files, plain or gzip, and refuses bytes that are no UTF-8.</summary>
public static class PlainText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The whole text. A byte order mark at the start is left out; line ends stay as they are.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is missing, damaged, or not UTF-8.</exception>
    public static string Read(string path)
    {
        var bytes = ReadBytes(path);
        var content = bytes.AsSpan(bytes.AsSpan().StartsWith("\uFEFF"u8) ? 3 : 0);
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException error)
        {
            throw NotUtf8(path, bytes, error);
        }
    }

    /// <summary>The whole text, read in the background.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="DataException">The file is missing, damaged, or not UTF-8.</exception>
    public static Task<string> ReadAsync(string path, CancellationToken cancellationToken = default)
        => Task.Run(() => Read(path), cancellationToken);

    /// <summary>The lines, without their ends (LF, CR LF or CR). A last line without an end counts; one empty end does not make a line.</summary>
    /// <param name="path">The file.</param>
    /// <param name="skipBlank">Whether lines that are empty or hold only white space are left out.</param>
    /// <exception cref="DataException">The file is missing, damaged, or not UTF-8.</exception>
    public static string[] ReadLines(string path, bool skipBlank = false)
    {
        var lines = new List<string>();
        using var reader = new StringReader(Read(path));
        while (reader.ReadLine() is { } line)
        {
            if (!skipBlank || !string.IsNullOrWhiteSpace(line))
            {
                lines.Add(line);
            }
        }
        return [.. lines];
    }

    internal static byte[] ReadBytes(string path)
    {
        using var stream = DataFile.OpenRead(path);
        using var memory = new MemoryStream(stream.CanSeek ? (int)Math.Min(stream.Length, Array.MaxLength) : 0);
        try
        {
            stream.CopyTo(memory);
        }
        catch (IOException error)
        {
            throw new DataException($"{path}: the file cannot be read whole: {error.Message}", error);
        }
        return memory.ToArray();
    }

    /// <summary>The error for bytes that are no UTF-8, with the line and byte where the first of them stands.</summary>
    internal static DataException NotUtf8(string path, ReadOnlySpan<byte> bytes, Exception? cause)
    {
        var position = 0;
        while (position < bytes.Length && Rune.DecodeFromUtf8(bytes[position..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            position += length;
        }
        var line = 1 + bytes[..position].Count((byte)'\n');
        var value = position < bytes.Length ? $"0x{bytes[position]:X2}" : "the end of the file";
        return new($"{path}, line {line}: expected UTF-8 text, got {value} at byte {position}. Convert the file, for example with: iconv -f LATIN1 -t UTF-8.", cause);
    }
}

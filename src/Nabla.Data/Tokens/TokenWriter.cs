using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Writes token files, whole or not at all.</summary>
public static class TokenWriter
{
    private const int BlockCharacters = 1 << 20;

    /// <summary>Writes tokens as they come; no more than one piece is in memory.</summary>
    /// <param name="path">The file; it is replaced when all went well.</param>
    /// <param name="tokens">The tokens in pieces of any size.</param>
    /// <param name="vocabularySize">Number of token ids, at least 1; up to 65536 a token takes two bytes, else four.</param>
    /// <param name="vocabulary">What made the tokens; null: unknown, and no recipe can train on the file.</param>
    /// <returns>Number of tokens.</returns>
    /// <exception cref="DataException">A token is not in [0, <paramref name="vocabularySize"/>), or there is none.</exception>
    public static long Write(string path, IEnumerable<int[]> tokens, int vocabularySize, ITextVocabulary? vocabulary = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        var count = 0L;
        AtomicFile.Write(path, stream =>
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var width = vocabularySize <= ushort.MaxValue + 1 ? sizeof(ushort) : sizeof(uint);
            stream.Write(new byte[TokenFile.HeaderBytes]);
            foreach (var piece in tokens)
            {
                Append(stream, hash, Encode(path, piece, width, vocabularySize, count));
                count += piece.Length;
            }
            if (count == 0)
            {
                throw new DataException($"{path}: expected at least one token to write, got none.");
            }
            var json = vocabulary is null ? [] : Encoding.UTF8.GetBytes(vocabulary.ToJson());
            Append(stream, hash, json);
            stream.Position = 0;
            stream.Write(Header(width, count, json.Length, vocabularySize, hash.GetHashAndReset()));
            stream.Position = stream.Length;
        });
        return count;
    }

    /// <summary>Turns a text file of any size into a token file: one pass over it makes the vocabulary, a second one the tokens.</summary>
    /// <param name="textPath">The text, UTF-8, plain or gzip.</param>
    /// <param name="path">The token file.</param>
    /// <param name="fit">Makes the vocabulary of the text, which comes in blocks of about a million characters.</param>
    /// <returns>Number of tokens and of token ids.</returns>
    /// <exception cref="DataException">The text is missing, empty, damaged or not UTF-8.</exception>
    public static (long Tokens, int Vocabulary) WriteText(string textPath, string path, Func<IEnumerable<string>, ITextVocabulary> fit)
    {
        ArgumentNullException.ThrowIfNull(fit);
        var vocabulary = fit(Blocks(textPath));
        return (Write(path, Blocks(textPath).Select(vocabulary.Encode), vocabulary.Size, vocabulary), vocabulary.Size);
    }

    /// <summary>A text in blocks that end behind white space where there is some, so that no word is cut.</summary>
    internal static IEnumerable<string> Blocks(string path, int size = BlockCharacters)
    {
        using var file = DataFile.OpenRead(path);
        using var reader = new StreamReader(file, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), detectEncodingFromByteOrderMarks: true, 1 << 16);
        var buffer = new char[size];
        var kept = 0;
        while (true)
        {
            var read = kept + Fill(path, reader, buffer.AsSpan(kept));
            if (read == 0)
            {
                yield break;
            }
            var isEnd = read < buffer.Length;
            var cut = isEnd ? read : CutOf(buffer);
            yield return new string(buffer, 0, cut);
            kept = read - cut;
            buffer.AsSpan(cut, kept).CopyTo(buffer);
            if (isEnd)
            {
                yield break;
            }
        }
    }

    private static int CutOf(ReadOnlySpan<char> block)
    {
        for (var i = block.Length - 1; i > 0; i--)
        {
            if (char.IsWhiteSpace(block[i]))
            {
                return i + 1;
            }
        }
        return char.IsHighSurrogate(block[^1]) ? block.Length - 1 : block.Length;
    }

    private static int Fill(string path, StreamReader reader, Span<char> buffer)
    {
        try
        {
            return reader.ReadBlock(buffer);
        }
        catch (DecoderFallbackException error)
        {
            throw new DataException($"{path}: expected UTF-8 text: {error.Message} Convert the file, for example with: iconv -f LATIN1 -t UTF-8.", error);
        }
        catch (IOException error)
        {
            throw new DataException($"{path}: the file cannot be read whole: {error.Message}", error);
        }
    }

    private static byte[] Encode(string path, int[] tokens, int width, int vocabularySize, long before)
    {
        var bytes = new byte[tokens.Length * width];
        for (var i = 0; i < tokens.Length; i++)
        {
            if (tokens[i] < 0 || tokens[i] >= vocabularySize)
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{path}: expected token ids from 0 to {vocabularySize - 1}, got {tokens[i]} at place {before + i}."));
            }
            if (width == sizeof(ushort))
            {
                BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(i * width), (ushort)tokens[i]);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * width), (uint)tokens[i]);
            }
        }
        return bytes;
    }

    private static void Append(Stream stream, IncrementalHash hash, byte[] bytes)
    {
        stream.Write(bytes);
        hash.AppendData(bytes);
    }

    private static byte[] Header(int width, long count, int vocabularyBytes, int vocabularySize, byte[] hash)
    {
        var header = new byte[TokenFile.HeaderBytes];
        "NABLATOK"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), TokenFile.Version);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), width);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(16), count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), vocabularyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(32), vocabularySize);
        hash.CopyTo(header.AsSpan(TokenFile.HashOffset));
        return header;
    }
}

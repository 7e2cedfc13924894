using System.Buffers.Binary;
using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// A file of token ids (<c>.tokens</c>) that is mapped, not read: a text larger than memory trains as one in memory does. It carries the
/// vocabulary that made it and a hash of its content. Reading is thread-safe; disposing while reading is not.
/// </summary>
/// <remarks>
/// Layout, little-endian: 128 bytes of header (<c>NABLATOK</c>, uint32 version, uint32 bytes a token (2 or 4), uint64 number of tokens,
/// uint64 bytes of the vocabulary, uint32 size of the vocabulary, 28 zero bytes, SHA-256 of what follows the header, zeros), the tokens as
/// uint16 or uint32, the vocabulary as JSON.
/// </remarks>
public sealed class TokenFile : ITokenSequence, IDisposable
{
    /// <summary>Extension of token files.</summary>
    public const string Extension = ".tokens";

    internal const int HeaderBytes = 128, Version = 1, HashOffset = 64;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly int _width;
    private readonly long _vocabularyBytes;
    private readonly string _path;
    private int _isDisposed;

    private TokenFile(string path, MemoryMappedFile map, MemoryMappedViewAccessor view, ReadOnlySpan<byte> header)
    {
        (_path, _map, _view) = (path, map, view);
        _width = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        Count = BinaryPrimitives.ReadInt64LittleEndian(header[16..]);
        _vocabularyBytes = BinaryPrimitives.ReadInt64LittleEndian(header[24..]);
        VocabularySize = BinaryPrimitives.ReadInt32LittleEndian(header[32..]);
        ContentHash = Convert.ToHexStringLower(header.Slice(HashOffset, SHA256.HashSizeInBytes));
    }

    /// <inheritdoc/>
    public long Count { get; }

    /// <summary>Number of token ids: each token is below it.</summary>
    public int VocabularySize { get; }

    /// <summary>SHA-256 of tokens and vocabulary, as the header says; <see cref="Verify"/> checks it.</summary>
    public string ContentHash { get; }

    /// <summary>The vocabulary that made the tokens, or null when the file was written without.</summary>
    /// <exception cref="DataException">The vocabulary is damaged.</exception>
    public ITextVocabulary? ReadVocabulary()
    {
        if (_vocabularyBytes == 0)
        {
            return null;
        }
        var bytes = new byte[_vocabularyBytes];
        _view.ReadArray(HeaderBytes + (Count * _width), bytes, 0, bytes.Length);
        return TextVocabulary.FromJson(Encoding.UTF8.GetString(bytes));
    }

    /// <summary>Opens a file; its content is not read yet.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="DataException">The file is missing, no token file, of a newer version, or cut off.</exception>
    public static TokenFile Open(string path)
    {
        var header = new byte[HeaderBytes];
        long length;
        using (var file = DataFile.Open(path))
        {
            length = file.Length;
            var read = file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
            Check(path, header.AsSpan(0, read), length);
        }
        var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        return new(path, map, map.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), header);
    }

    /// <summary>Reads the whole file and compares its hash, and each token with the size of the vocabulary.</summary>
    /// <exception cref="DataException">The content is not what was written.</exception>
    public void Verify()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        var (place, end) = ((long)HeaderBytes, HeaderBytes + (Count * _width) + _vocabularyBytes);
        while (place < end)
        {
            var read = _view.ReadArray(place, buffer, 0, (int)Math.Min(buffer.Length, end - place));
            hash.AppendData(buffer, 0, read);
            place += read;
        }
        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (actual != ContentHash)
        {
            throw new DataException($"{_path}: expected content with SHA-256 {ContentHash}, got {actual}. The file is damaged; make it again with nabla data tokenize.");
        }
    }

    /// <inheritdoc/>
    /// <exception cref="DataException">A token is not below <see cref="VocabularySize"/>: the file is damaged.</exception>
    public unsafe void Read(long start, Span<long> destination)
    {
        ObjectDisposedException.ThrowIf(_isDisposed != 0, this);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + destination.Length, Count, nameof(start));
        byte* origin = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref origin);
        try
        {
            var bytes = new ReadOnlySpan<byte>(origin + _view.PointerOffset + HeaderBytes + (start * _width), destination.Length * _width);
            if (_width == sizeof(ushort))
            {
                Widen(MemoryMarshal.Cast<byte, ushort>(bytes), destination);
            }
            else
            {
                Widen(MemoryMarshal.Cast<byte, uint>(bytes), destination);
            }
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
        foreach (var token in destination)
        {
            if (token >= VocabularySize)
            {
                throw new DataException(string.Create(CultureInfo.InvariantCulture, $"{_path}: expected token ids below {VocabularySize}, got {token} after place {start}. The file is damaged; make it again with nabla data tokenize."));
            }
        }
    }

    /// <summary>A stretch of the tokens; it borrows this file.</summary>
    /// <param name="start">Place of the first token.</param>
    /// <param name="count">How many.</param>
    public ITokenSequence Slice(long start, long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + count, Count, nameof(count));
        return new Part(this, start, count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _view.Dispose();
            _map.Dispose();
        }
    }

    private static void Widen(ReadOnlySpan<ushort> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = BitConverter.IsLittleEndian ? from[i] : BinaryPrimitives.ReverseEndianness(from[i]);
        }
    }

    private static void Widen(ReadOnlySpan<uint> from, Span<long> to)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = BitConverter.IsLittleEndian ? from[i] : BinaryPrimitives.ReverseEndianness(from[i]);
        }
    }

    private static void Check(string path, ReadOnlySpan<byte> header, long length)
    {
        if (header.Length < HeaderBytes || !header.StartsWith("NABLATOK"u8))
        {
            throw new DataException($"{path}: expected a token file of Nabla, got {(header.Length < HeaderBytes ? $"{header.Length} bytes" : "other content")}. Make one with: nabla data tokenize TEXT {Path.GetFileNameWithoutExtension(path)}{Extension}");
        }
        if (BinaryPrimitives.ReadUInt32LittleEndian(header[8..]) is > Version and var version)
        {
            throw new DataException($"{path}: expected format version {Version}, got {version}. Use the Nabla that wrote the file, or a newer one.");
        }
        var (width, count, vocabulary) = (BinaryPrimitives.ReadUInt32LittleEndian(header[12..]), BinaryPrimitives.ReadInt64LittleEndian(header[16..]), BinaryPrimitives.ReadInt64LittleEndian(header[24..]));
        if (width is not (2 or 4) || count < 0 || vocabulary is < 0 or > int.MaxValue || count > (long.MaxValue - HeaderBytes - vocabulary) / width)
        {
            throw new DataException($"{path}: the header is damaged: {width} bytes a token, {count} tokens, {vocabulary} bytes of vocabulary. Make the file again with nabla data tokenize.");
        }
        if (length != HeaderBytes + (count * width) + vocabulary)
        {
            throw new DataException($"{path}: expected {HeaderBytes + (count * width) + vocabulary} bytes for {count} tokens, got {length}. The file is cut off; make it again with nabla data tokenize.");
        }
    }

    private sealed class Part(TokenFile file, long start, long count) : ITokenSequence
    {
        public long Count => count;

        public void Read(long from, Span<long> destination)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(from);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(from + destination.Length, count);
            file.Read(start + from, destination);
        }
    }
}

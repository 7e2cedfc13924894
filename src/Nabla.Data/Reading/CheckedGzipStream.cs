using System.IO.Compression;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Decompresses gzip and notices a file that was cut off. .NET's <see cref="GZipStream"/> ends silently when its input does (tried on
/// .NET 10), so a complete gzip member holding a marker is appended to the file: only when the file's own last member is whole does
/// the marker come out at the end, where it is taken off.
/// </summary>
internal sealed class CheckedGzipStream : ForwardStream
{
    private static readonly byte[] Marker = "\0nabla:end-of-gzip\0"u8.ToArray();
    private static readonly byte[] MarkerMember = Compress(Marker);
    private readonly string _path;
    private readonly GZipStream _gzip;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private int _start, _end;
    private bool _finished;

    /// <summary>Reads <paramref name="file"/>, which is taken over.</summary>
    public CheckedGzipStream(Stream file, string path)
    {
        _path = path;
        _gzip = new GZipStream(new AppendedStream(file, MarkerMember), CompressionMode.Decompress);
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }
        while (!_finished && _end - _start <= Marker.Length)
        {
            Fill();
        }
        var count = Math.Min(buffer.Length, _end - _start - (_finished ? 0 : Marker.Length));
        _buffer.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gzip.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Reads on; what may be the marker is always held back.</summary>
    private void Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int read;
        try
        {
            read = _gzip.Read(_buffer, _end, _buffer.Length - _end);
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException)
        {
            throw Damaged(error);
        }
        _end += read;
        if (read == 0)
        {
            if (!_buffer.AsSpan(0, _end).EndsWith(Marker))
            {
                throw Damaged(null);
            }
            _end -= Marker.Length;
            _finished = true;
        }
    }

    private DataException Damaged(Exception? cause) => new(
        $"{_path}: the gzip data is cut off or damaged: expected a complete gzip file with a matching checksum. Fetch the file again.", cause);

    private static byte[] Compress(byte[] content)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.Fastest))
        {
            gzip.Write(content);
        }
        return result.ToArray();
    }

    /// <summary>A stream followed by some bytes.</summary>
    private sealed class AppendedStream(Stream first, byte[] last) : ForwardStream
    {
        private int _position;

        public override int Read(Span<byte> buffer)
        {
            var read = _position == 0 ? first.Read(buffer) : 0;
            if (read > 0)
            {
                return read;
            }
            var count = Math.Min(buffer.Length, last.Length - _position);
            last.AsSpan(_position, count).CopyTo(buffer);
            _position += count;
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                first.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}

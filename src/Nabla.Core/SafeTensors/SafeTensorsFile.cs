using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Nabla.Core;

/// <summary>
/// Tensors by name in one file, in the safetensors format (https://huggingface.co/docs/safetensors). Open files read a tensor when asked for it;
/// bytes go between the disk and the tensor's own memory without a copy of the whole, and tensors may be larger than 2 GB.
/// It owns the file handle, not the tensors it gives out. Reading is thread-safe.
/// </summary>
public sealed class SafeTensorsFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly SafeTensorsHeader _header;

    private SafeTensorsFile(string path, SafeFileHandle file, SafeTensorsHeader header) => (Path, _file, _header) = (path, file, header);

    /// <summary>The file's path, as it was given.</summary>
    public string Path { get; }

    /// <summary>What the file says of each tensor, by name.</summary>
    public IReadOnlyDictionary<string, SafeTensorsEntry> Entries => _header.Entries;

    /// <summary>Free text that was stored with the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>Opens a file and checks its header; no tensor is read.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file is missing, unreadable or not a valid safetensors file.</exception>
    public static SafeTensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle? file = null;
        try
        {
            file = File.OpenHandle(path);
            return new(path, file, SafeTensorsHeader.Read(path, file));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            file?.Dispose();
            throw new CheckpointException($"{path}: expected a readable safetensors file, got an error: {error.Message}", error);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Reads all tensors of a file; the caller owns them.</summary>
    /// <param name="path">The file.</param>
    /// <param name="device">Where they shall be; null: the CPU.</param>
    /// <exception cref="CheckpointException">The file is missing, unreadable, damaged, or holds a type that has no tensor type.</exception>
    public static Dictionary<string, Tensor> Read(string path, Device? device = null)
    {
        using var file = Open(path);
        using var scope = NewDisposeScope(); // frees what was read when a later tensor fails
        var tensors = file.Entries.Keys.ToDictionary(name => name, name => file.ReadTensor(name, device), StringComparer.Ordinal);
        foreach (var tensor in tensors.Values)
        {
            tensor.MoveToOuterDisposeScope();
        }
        return tensors;
    }

    /// <summary>
    /// Writes tensors to a file that is whole or absent. The same tensors give the same bytes: order is by type, then by name, as the
    /// reference writer does it.
    /// </summary>
    /// <param name="path">The file; it is replaced when it exists.</param>
    /// <param name="tensors">Tensors by name, of any device and layout; they are not changed.</param>
    /// <param name="metadata">Free text to store, or null.</param>
    /// <returns>SHA-256 of the file and of each tensor.</returns>
    /// <exception cref="CheckpointException">A tensor has a type that the format lacks, or the file cannot be written.</exception>
    public static SafeTensorsDigest Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        SafeTensorsDigest? digest = null;
        try
        {
            AtomicFile.Write(path, stream => digest = WriteTo(stream, path, tensors, metadata));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException($"{path}: expected to write {tensors.Values.Sum(tensor => tensor.NumberOfElements * tensor.ElementSize)} bytes of tensors, got an error: {error.Message} Free disk space, or choose a folder that can be written.", error);
        }
        return digest!;
    }

    /// <summary>Writes tensors to a stream, from its present position on, in the same order and bytes as to a file.</summary>
    /// <param name="stream">The stream; it is neither flushed nor closed.</param>
    /// <param name="path">Name of what is written, for messages.</param>
    /// <param name="tensors">Tensors by name, of any device and layout; they are not changed.</param>
    /// <param name="metadata">Free text to store, or null.</param>
    /// <returns>SHA-256 of what was written and of each tensor.</returns>
    /// <exception cref="CheckpointException">A tensor has a type that the format lacks.</exception>
    public static SafeTensorsDigest WriteTo(Stream stream, string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        var entries = Layout(path, tensors);
        using var fileHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        var header = SafeTensorsHeader.Write(entries, metadata);
        stream.Write(header);
        fileHash.AppendData(header);
        foreach (var entry in entries)
        {
            hashes[entry.Name] = WriteTensor(stream, fileHash, tensors[entry.Name]);
        }
        return new(Convert.ToHexStringLower(fileHash.GetHashAndReset()), hashes);
    }

    /// <summary>
    /// Reads one tensor; the caller owns it. Types without a tensor type of their own are widened: F8 to float32, U16 to int32,
    /// U32 and U64 to int64.
    /// </summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="device">Where it shall be; null: the CPU.</param>
    /// <exception cref="CheckpointException">There is no such tensor, it cannot be read, or no tensor type holds its values.</exception>
    public Tensor ReadTensor(string name, Device? device = null)
    {
        var entry = Entry(name);
        var type = SafeTensorsType.Find(entry.DataType)!;
        if (type.ReadAs is not { } readAs)
        {
            throw new CheckpointException($"{Path}: tensor '{name}': expected a type that libtorch's binding can hold, got {entry.DataType}. Convert the file to F32, F16 or BF16.");
        }
        using var scope = NewDisposeScope();
        Tensor tensor;
        try
        {
            tensor = torch.empty([.. entry.Shape], readAs);
        }
        catch (ExternalException error)
        {
            throw new CheckpointException($"{Path}: tensor '{name}': expected {entry.ByteCount} free bytes of memory for {entry.DataType} {ShapeException.Format([.. entry.Shape])}, got an error: {error.Message}", error);
        }
        if (type.Type is not null)
        {
            TensorBytes.ForEachPiece(tensor, (piece, offset) => ReadExactly(Path, _file, piece, _header.DataStart + entry.Begin + offset));
        }
        else
        {
            ReadWidened(tensor, entry, type);
        }
        return (device is null ? tensor : tensor.to(device)).MoveToOuterDisposeScope();
    }

    /// <summary>SHA-256 of a tensor's bytes in the file, as lower-case hexadecimal digits.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it cannot be read.</exception>
    public string ComputeSha256(string name)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CopyBytes(name, piece => hash.AppendData(piece));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Gives a tensor's bytes as they are in the file, little-endian, piece by piece.</summary>
    /// <param name="name">The tensor's name.</param>
    /// <param name="receive">Takes a piece; the memory is reused after the call.</param>
    /// <exception cref="CheckpointException">There is no such tensor, or it cannot be read.</exception>
    public void CopyBytes(string name, Action<ReadOnlySpan<byte>> receive)
    {
        ArgumentNullException.ThrowIfNull(receive);
        var entry = Entry(name);
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            for (var offset = 0L; offset < entry.ByteCount; offset += buffer.Length)
            {
                var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.ByteCount - offset));
                ReadExactly(Path, _file, piece, _header.DataStart + entry.Begin + offset);
                receive(piece);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    /// <summary>Fills <paramref name="buffer"/> from a place in the file.</summary>
    /// <exception cref="CheckpointException">The file ends before, or reading fails.</exception>
    internal static void ReadExactly(string path, SafeFileHandle file, Span<byte> buffer, long offset)
    {
        try
        {
            while (buffer.Length > 0)
            {
                var read = RandomAccess.Read(file, buffer, offset);
                if (read == 0)
                {
                    throw new CheckpointException($"{path}: expected {buffer.Length} more bytes at {offset}, got the end of the file. It was cut off while being read.");
                }
                buffer = buffer[read..];
                offset += read;
            }
        }
        catch (IOException error)
        {
            throw new CheckpointException($"{path}: expected {buffer.Length} bytes at {offset}, got an error: {error.Message}", error);
        }
    }

    private void ReadWidened(Tensor tensor, SafeTensorsEntry entry, SafeTensorsType type)
    {
        var (from, to) = (type.Bits / 8, (int)tensor.ElementSize);
        TensorBytes.ForEachPiece(tensor, (piece, offset) =>
        {
            var raw = new byte[piece.Length / to * from];
            ReadExactly(Path, _file, raw, _header.DataStart + entry.Begin + (offset / to * from));
            SafeTensorsWidening.Widen(Path, entry, raw, piece);
        });
    }

    private SafeTensorsEntry Entry(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Entries.TryGetValue(name, out var entry)
            ? entry
            : throw new CheckpointException($"{Path}: there is no tensor '{name}'. {NearestName.Suggest(name, [.. Entries.Keys])}");
    }

    private static List<SafeTensorsEntry> Layout(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        var position = 0L;
        List<SafeTensorsEntry> entries = [];
        var typed = tensors.Select(pair => (Name: pair.Key, Tensor: pair.Value, Type: SafeTensorsType.Of(pair.Value.dtype)
            ?? throw new CheckpointException($"{path}: tensor '{pair.Key}': expected a type that safetensors can hold ({string.Join(", ", SafeTensorsType.Names)}), got {pair.Value.dtype}. Convert it first.")));
        foreach (var (name, tensor, type) in typed.OrderByDescending(item => item.Type.Rank).ThenBy(item => item.Name, StringComparer.Ordinal))
        {
            if (name == "__metadata__")
            {
                throw new CheckpointException($"{path}: a tensor cannot be named '__metadata__', which the format keeps for itself. Rename it.");
            }
            var end = position + (tensor.NumberOfElements * type.Bits / 8);
            entries.Add(new(name, type.Name, tensor.Sizes(), position, end));
            position = end;
        }
        return entries;
    }

    private static string WriteTensor(Stream stream, IncrementalHash fileHash, Tensor tensor)
    {
        using var noGradient = torch.no_grad();
        using var scope = NewDisposeScope();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        TensorBytes.ForEachPiece(tensor.detach().cpu().contiguous(), (piece, _) =>
        {
            stream.Write(piece);
            fileHash.AppendData(piece);
            hash.AppendData(piece);
        });
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>SHA-256 sums of a safetensors file, as lower-case hexadecimal digits.</summary>
/// <param name="File">Sum of the whole file.</param>
/// <param name="Tensors">Sum of each tensor's bytes, by name.</param>
public sealed record SafeTensorsDigest(string File, IReadOnlyDictionary<string, string> Tensors);

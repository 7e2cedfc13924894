using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Reads IDX files, the format of MNIST and Fashion-MNIST: two zero bytes, a type byte, the number of axes, each axis as a big-endian
/// int32, then the values, big-endian, last axis fastest. Plain or gzip.
/// </summary>
public static class IdxFile
{
    /// <summary>Reads one array as a tensor that the caller owns.</summary>
    /// <param name="path">The file.</param>
    /// <returns>A tensor of the file's shape and type (uint8, int8, int16, int32, float32 or float64).</returns>
    /// <exception cref="DataException">The file is missing, is no IDX file, is cut off, or goes on after its last value.</exception>
    public static Tensor Read(string path)
    {
        var (type, shape, bytes) = ReadBytes(path);
        var dimensions = shape.Select(size => (long)size).ToArray();
        return type switch
        {
            0x08 => tensor(bytes, dimensions),
            0x09 => tensor(MemoryMarshal.Cast<byte, sbyte>(bytes).ToArray(), dimensions),
            0x0B => tensor(Reverse<short>(bytes, BinaryPrimitives.ReverseEndianness), dimensions),
            0x0C => tensor(Reverse<int>(bytes, BinaryPrimitives.ReverseEndianness), dimensions),
            0x0D => tensor(MemoryMarshal.Cast<int, float>(Reverse<int>(bytes, BinaryPrimitives.ReverseEndianness)).ToArray(), dimensions),
            _ => tensor(MemoryMarshal.Cast<long, double>(Reverse<long>(bytes, BinaryPrimitives.ReverseEndianness)).ToArray(), dimensions),
        };
    }

    /// <summary>Reads pictures and their labels.</summary>
    /// <param name="images">File of the pictures, uint8, <c>[examples, height, width]</c>.</param>
    /// <param name="labels">File of the class ids, uint8, <c>[examples]</c>.</param>
    /// <param name="classes">Number of classes; a label must be below it.</param>
    /// <returns>Pictures <c>[examples, channels=1, height, width]</c> (uint8, owned by the caller) and labels <c>[examples]</c>.</returns>
    /// <exception cref="DataException">A file is damaged, the counts differ, or a label is out of range.</exception>
    public static (Tensor Images, long[] Labels) ReadImages(string images, string labels, int classes)
    {
        var labelValues = ReadLabels(labels, classes);
        var (type, shape, bytes) = ReadBytes(images);
        if (type != 0x08 || shape is not [var count, var height, var width])
        {
            throw new DataException($"{images}: expected pictures as uint8 [examples, height, width], got {Describe(type, shape)}. Are the files of pictures and labels swapped?");
        }
        if (count != labelValues.Length)
        {
            throw new DataException($"{images}: expected as many pictures as {labels} has labels ({labelValues.Length}), got {count}. The two files belong to different sets or splits.");
        }
        return (tensor(bytes, [count, 1, height, width]), labelValues);
    }

    private static long[] ReadLabels(string path, int classes)
    {
        var (type, shape, bytes) = ReadBytes(path);
        if (type != 0x08 || shape.Length != 1)
        {
            throw new DataException($"{path}: expected labels as uint8 [examples], got {Describe(type, shape)}. Are the files of pictures and labels swapped?");
        }
        var labels = new long[bytes.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            labels[i] = bytes[i] < classes
                ? bytes[i]
                : throw new DataException($"{path}: label {i} is {bytes[i]}, expected a class id from 0 to {classes - 1}.");
        }
        return labels;
    }

    private static (byte Type, int[] Shape, byte[] Values) ReadBytes(string path)
    {
        using var stream = DataFile.OpenRead(path);
        Span<byte> header = stackalloc byte[4];
        if (stream.ReadAtLeast(header, 4, throwOnEndOfStream: false) < 4)
        {
            throw new DataException($"{path}: expected an IDX file, got fewer than 4 bytes. Fetch the file again.");
        }
        if (header[0] != 0 || header[1] != 0 || ElementSize(header[2]) == 0 || header[3] == 0)
        {
            throw new DataException($"{path}: expected the magic number of an IDX file (00 00, type 08 to 0E, number of axes), got {Convert.ToHexString(header)}.");
        }
        var (type, shape) = (header[2], new int[header[3]]);
        var total = (long)ElementSize(type);
        Span<byte> axis = stackalloc byte[4];
        for (var i = 0; i < shape.Length; i++)
        {
            if (stream.ReadAtLeast(axis, 4, throwOnEndOfStream: false) < 4)
            {
                throw new DataException($"{path}: the file ends inside its header; expected {shape.Length} axis sizes, got {i}. Fetch the file again.");
            }
            shape[i] = BinaryPrimitives.ReadInt32BigEndian(axis);
            total = shape[i] < 0 ? long.MaxValue : total == 0 || shape[i] <= Array.MaxLength / total ? total * shape[i] : long.MaxValue;
            if (total > Array.MaxLength)
            {
                throw new DataException($"{path}: the header's sizes [{string.Join(", ", shape[..(i + 1)])}] are not those of a file that can be read at once (2 GiB). The header is damaged.");
            }
        }
        // Deflate cannot shrink by more than about 1032 to 1, so a header that promises more is wrong; found before room is made for it.
        var most = (new FileInfo(path).Length * 1032L) + 1024;
        if (total > most)
        {
            throw new DataException($"{path}: the header promises {Describe(type, shape)}, {total} bytes, more than the file can hold. It is cut off or damaged; fetch it again.");
        }
        var values = new byte[total];
        var read = stream.ReadAtLeast(values, values.Length, throwOnEndOfStream: false);
        if (read < values.Length)
        {
            throw new DataException($"{path}: expected {values.Length} bytes of values for {Describe(type, shape)}, got {read}. The file is cut off; fetch it again.");
        }
        if (stream.ReadByte() >= 0)
        {
            throw new DataException($"{path}: the file goes on after the last value of {Describe(type, shape)}. The header is wrong or two files were joined.");
        }
        return (type, shape, values);
    }

    private static T[] Reverse<T>(byte[] bytes, Func<T, T> reverse) where T : struct
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes).ToArray();
        return BitConverter.IsLittleEndian ? Array.ConvertAll(values, value => reverse(value)) : values;
    }

    private static int ElementSize(byte type) => type switch { 0x08 or 0x09 => 1, 0x0B => 2, 0x0C or 0x0D => 4, 0x0E => 8, _ => 0 };

    private static string Describe(byte type, int[] shape)
    {
        var name = type switch { 0x08 => "uint8", 0x09 => "int8", 0x0B => "int16", 0x0C => "int32", 0x0D => "float32", _ => "float64" };
        return $"{name} [{string.Join(", ", shape)}]";
    }
}

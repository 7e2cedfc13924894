using System.Runtime.InteropServices;

namespace Nabla.Core;

/// <summary>Turns element types that have no tensor type into wider ones that hold every value of theirs.</summary>
internal static class SafeTensorsWidening
{
    /// <summary>Converts elements of F8_E4M3, F8_E5M2 (to float32), U16 (to int32), U32 or U64 (to int64).</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="entry">The tensor.</param>
    /// <param name="raw">Bytes of the file.</param>
    /// <param name="target">Memory of the tensor for the same elements.</param>
    /// <exception cref="CheckpointException">A U64 value is beyond int64.</exception>
    public static void Widen(string path, SafeTensorsEntry entry, ReadOnlySpan<byte> raw, Span<byte> target)
    {
        switch (entry.DataType)
        {
            case "F8_E4M3":
                Each(raw, MemoryMarshal.Cast<byte, float>(target), SmallFloats.FromE4M3);
                break;
            case "F8_E5M2":
                Each(raw, MemoryMarshal.Cast<byte, float>(target), SmallFloats.FromE5M2);
                break;
            case "U16":
                Each(MemoryMarshal.Cast<byte, ushort>(raw), MemoryMarshal.Cast<byte, int>(target), value => value);
                break;
            case "U32":
                Each(MemoryMarshal.Cast<byte, uint>(raw), MemoryMarshal.Cast<byte, long>(target), value => value);
                break;
            case "U64":
                Each(MemoryMarshal.Cast<byte, ulong>(raw), MemoryMarshal.Cast<byte, long>(target), value => value <= long.MaxValue
                    ? (long)value
                    : throw new CheckpointException($"{path}: tensor '{entry.Name}': expected U64 values up to {long.MaxValue}, which int64 holds, got {value}."));
                break;
            default:
                throw new ArgumentException($"{entry.DataType} is not a type that is widened.", nameof(entry));
        }
    }

    private static void Each<TFrom, TTo>(ReadOnlySpan<TFrom> from, Span<TTo> to, Func<TFrom, TTo> convert)
    {
        for (var i = 0; i < from.Length; i++)
        {
            to[i] = convert(from[i]);
        }
    }
}

namespace Nabla.Core;

/// <summary>A tensor in a safetensors file, as its header describes it.</summary>
/// <param name="Name">The tensor's key.</param>
/// <param name="DataType">Element type as written in the file, such as <c>F32</c> or <c>BF16</c>.</param>
/// <param name="Shape">Sizes; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the start of the file's data part.</param>
/// <param name="End">Byte after the last, counted the same way.</param>
public sealed record SafeTensorsEntry(string Name, string DataType, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Size in bytes.</summary>
    public long ByteCount => End - Begin;

    /// <summary>Number of elements.</summary>
    public long ElementCount => Shape.Aggregate(1L, (product, size) => product * size);
}

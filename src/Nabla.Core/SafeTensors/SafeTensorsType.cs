using System.Collections.Frozen;

namespace Nabla.Core;

/// <summary>An element type of the safetensors format.</summary>
/// <param name="Name">Its name in the file, such as <c>F32</c>.</param>
/// <param name="Bits">Size of an element.</param>
/// <param name="Rank">Its place in the order of the official writer, which puts types of larger alignment first.</param>
/// <param name="Type">The tensor type with the same bytes, or null when libtorch's binding has none.</param>
/// <param name="ReadAs">The tensor type that holds its values, or null when it cannot be read.</param>
internal sealed record SafeTensorsType(string Name, int Bits, int Rank, ScalarType? Type, ScalarType? ReadAs)
{
    private static readonly SafeTensorsType[] All =
    [
        Same("BOOL", 8, 0, ScalarType.Bool),
        new("F4", 4, 1, null, null),
        new("F6_E2M3", 6, 2, null, null),
        new("F6_E3M2", 6, 3, null, null),
        Same("U8", 8, 4, ScalarType.Byte),
        Same("I8", 8, 5, ScalarType.Int8),
        new("F8_E5M2", 8, 6, null, ScalarType.Float32),
        new("F8_E4M3", 8, 7, null, ScalarType.Float32),
        new("F8_E8M0", 8, 8, null, null),
        Same("I16", 16, 9, ScalarType.Int16),
        new("U16", 16, 10, null, ScalarType.Int32),
        Same("F16", 16, 11, ScalarType.Float16),
        Same("BF16", 16, 12, ScalarType.BFloat16),
        Same("I32", 32, 13, ScalarType.Int32),
        new("U32", 32, 14, null, ScalarType.Int64),
        Same("F32", 32, 15, ScalarType.Float32),
        Same("C64", 64, 16, ScalarType.ComplexFloat32),
        Same("F64", 64, 17, ScalarType.Float64),
        Same("I64", 64, 18, ScalarType.Int64),
        new("U64", 64, 19, null, ScalarType.Int64),
    ];

    private static readonly FrozenDictionary<string, SafeTensorsType> ByName = All.ToFrozenDictionary(type => type.Name);
    private static readonly FrozenDictionary<ScalarType, SafeTensorsType> ByType = All.Where(type => type.Type is not null).ToFrozenDictionary(type => type.Type!.Value);

    /// <summary>All names, for messages.</summary>
    public static IReadOnlyCollection<string> Names { get; } = [.. All.Select(type => type.Name)];

    /// <summary>The type of this name, or null.</summary>
    public static SafeTensorsType? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>The type that stores tensors of <paramref name="type"/>, or null when the format has none.</summary>
    public static SafeTensorsType? Of(ScalarType type) => ByType.GetValueOrDefault(type);

    private static SafeTensorsType Same(string name, int bits, int rank, ScalarType type) => new(name, bits, rank, type, type);
}

using System.Runtime.InteropServices;
using Nabla.Core.Native;

namespace Nabla.Core.Kernels;

/// <summary>
/// Matrix products of bfloat16 with sums in float32 on the processor's matrix tiles (AMX), by the kernel that libtorch uses inside its attention
/// (<c>at::native::cpublas::brgemm</c>). A call costs less than a microsecond where an operation of libtorch costs ten to thirty, so products
/// as small as those of a recurrent step or of a small perceptron reach the tiles' speed. A block of calls ends with <see cref="Release"/>.
/// </summary>
internal static unsafe class TileProduct
{
    /// <summary>Columns of a panel: the second operand is packed in panels of so many columns.</summary>
    public const int PanelWidth = 64;

    /// <summary>The inner size is a multiple of this, filled up with zeros.</summary>
    public const int InnerMultiple = 32;

    private static readonly Lazy<Exports> Found = new(Find, LazyThreadSafetyMode.ExecutionAndPublication);

    /// <summary>Whether this processor has matrix tiles for bfloat16 and the loaded libtorch offers its kernel for them.</summary>
    public static bool IsAvailable => Found.Value.Multiply != 0;

    /// <summary>Rounds an inner size up to <see cref="InnerMultiple"/>.</summary>
    public static int PadInner(int size) => (size + InnerMultiple - 1) / InnerMultiple * InnerMultiple;

    /// <summary>Width in memory of the panel that begins at a column.</summary>
    public static int PaddedWidth(int columns) => Math.Min(PanelWidth, (columns + 15) / 16 * 16);

    /// <summary>Entries of a packed second operand.</summary>
    public static int PackedSize(int inner, int columns) => PadInner(inner) * ((columns + 15) / 16 * 16);

    /// <summary>Where the panel that begins at a column begins.</summary>
    public static int PanelOffset(int paddedInner, int column) => paddedInner * column;

    /// <summary>One panel: <c>c[rows, columns] (+)= a[rows, inner] b[inner, columns]</c>.</summary>
    /// <param name="rows">Rows of a and c.</param>
    /// <param name="columns">Columns of the panel, at most <see cref="PanelWidth"/>.</param>
    /// <param name="inner">Inner size, a multiple of <see cref="InnerMultiple"/>.</param>
    /// <param name="a">Row by row, <paramref name="aStride"/> entries from row to row.</param>
    /// <param name="aStride">See <paramref name="a"/>.</param>
    /// <param name="panel">The panel, packed by <see cref="TilePacking"/>.</param>
    /// <param name="c">Row by row.</param>
    /// <param name="cStride">Entries from row to row of <paramref name="c"/>.</param>
    /// <param name="add">Whether to add to what is in c.</param>
    public static void MultiplyPanel(int rows, int columns, int inner, ushort* a, int aStride, ushort* panel, float* c, int cStride, bool add = false)
        => ((delegate* unmanaged<long, long, long, long, long, long, byte, void*, void*, float*, byte, void>)Found.Value.Multiply)(
            rows, columns, inner, aStride, PaddedWidth(columns), cStride, add ? (byte)1 : (byte)0, a, panel, c, 1);

    /// <summary>All panels: <c>c[rows, columns] (+)= a[rows, inner] b[inner, columns]</c>.</summary>
    public static void Multiply(int rows, int columns, int inner, ushort* a, int aStride, ushort* b, float* c, int cStride, bool add = false)
    {
        for (var column = 0; column < columns; column += PanelWidth)
        {
            MultiplyPanel(rows, Math.Min(PanelWidth, columns - column), inner, a, aStride, b + PanelOffset(inner, column), c + column, cStride, add);
        }
    }

    /// <summary>Gives the tiles back to other kernels of this thread, which set them up for themselves.</summary>
    public static void Release() => ((delegate* unmanaged<byte, void>)Found.Value.Release)(1);

    private static Exports Find()
    {
        var library = NativeBootstrap.Loaded.Torch;
        // Names of the Itanium C++ ABI; a libtorch that lacks one of them is used through its ordinary operations.
        return NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas10could_packEN3c1010ScalarTypeE", out var canPack)
            && NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas6brgemmEllllllbPKN3c108BFloat16ES5_Pfb", out var multiply)
            && NativeLibrary.TryGetExport(library, "_ZN2at6native7cpublas14brgemm_releaseEb", out var release)
            && System.Runtime.Intrinsics.X86.Avx512BW.IsSupported
            && ((delegate* unmanaged<sbyte, byte>)canPack)((sbyte)ScalarType.BFloat16) != 0
            ? new(multiply, release)
            : default;
    }

    private readonly record struct Exports(nint Multiply, nint Release);
}

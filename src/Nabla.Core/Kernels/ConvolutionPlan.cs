namespace Nabla.Core.Kernels;

/// <summary>
/// One axis of a convolution whose weight gradient is a sum of products of outputs with inputs at the same place of a common grid. Input
/// <c>o * stride + tap - padding</c> belongs to output o and a tap: it has one of <c>stride</c> phases, and lies <see cref="Shift"/> places beside o in the
/// grid of its phase. The grid has as many empty places behind each row as shifts can reach over its ends.
/// </summary>
internal sealed class ConvolutionAxis
{
    private readonly int _padding;

    /// <param name="inputs">Size of the input.</param>
    /// <param name="kernel">Size of the kernel.</param>
    /// <param name="stride">Distance of outputs.</param>
    /// <param name="padding">Zeros before and after the input.</param>
    public ConvolutionAxis(int inputs, int kernel, int stride, int padding)
    {
        (Inputs, Kernel, Stride, _padding) = (inputs, kernel, stride, padding);
        Outputs = ((inputs + (2 * padding) - kernel) / stride) + 1;
        Phases = Math.Min(stride, kernel);
        var (least, most) = (Math.Min(0, Shift(0)), Math.Max(0, Shift(kernel - 1)));
        Grid = Math.Max(((inputs + stride - 1) / stride) - least, Outputs + most);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public int Kernel { get; }

    /// <summary>Places of the grid.</summary>
    public int Grid { get; }

    /// <summary>Distance of outputs.</summary>
    public int Stride { get; }

    /// <summary>Most phases that taps can have.</summary>
    public int Phases { get; }

    /// <summary>How far the input of a tap lies from its output in the grid.</summary>
    public int Shift(int tap) => (int)Math.Floor((tap - _padding) / (double)Stride);

    /// <summary>Number of the phase of a tap: taps <c>stride</c> apart share one.</summary>
    public int Phase(int tap) => tap % Stride;

    /// <summary>The input at a place of a phase's grid, or -1 where it is empty.</summary>
    public int Input(int phase, int place)
    {
        var input = (place * Stride) + phase - _padding - (Shift(phase) * Stride);
        return input < Inputs ? input : -1;
    }
}

/// <summary>A convolution over pictures without groups and dilation, and where its kernel keeps what it packs.</summary>
/// <param name="Batch">Pictures.</param>
/// <param name="Inputs">Channels of the input.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Rows">The axis from top to bottom.</param>
/// <param name="Columns">The axis from left to right.</param>
internal sealed record ConvolutionPlan(int Batch, int Inputs, int Outputs, ConvolutionAxis Rows, ConvolutionAxis Columns)
{
    private const int Line = 32; // 16-bit entries of a cache line
    private const int Way = 2048; // entries of a page: rows so far apart share lines of the first-level cache

    /// <summary>Places of the grid of one picture.</summary>
    public int Grid => Rows.Grid * Columns.Grid;

    /// <summary>Places of all pictures, filled up to whole tiles.</summary>
    public int Places => TileProduct.PadInner(Batch * Grid);

    /// <summary>Whether outputs leave inputs out.</summary>
    public bool HasStride => Rows.Stride > 1 || Columns.Stride > 1;

    /// <summary>Weights of one pair of channels.</summary>
    public int Taps => Rows.Kernel * Columns.Kernel;

    /// <summary>Grids that the input is packed in.</summary>
    public int Phases => Rows.Phases * Columns.Phases;

    /// <summary>Empty places before the outputs of a channel, for taps that look forward.</summary>
    public int Before => Math.Max(0, Offset(Taps - 1));

    /// <summary>Entries from one channel of outputs to the next, in sizes an eighth of a power of two apart: libtorch keeps a kernel for each for ever.</summary>
    public int ChannelStride()
    {
        var needed = Before + Places + Math.Max(0, -Offset(0));
        var step = Math.Max(Line, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed) / 16);
        var stride = (needed + step - 1) / step * step;
        return stride % Way == 0 ? stride + Line : stride;
    }

    /// <summary>How far the input of a tap lies from its output in the grid of a picture.</summary>
    public int Offset(int tap) => (Rows.Shift(tap / Columns.Kernel) * Columns.Grid) + Columns.Shift(tap % Columns.Kernel);

    /// <summary>The grid that a tap reads.</summary>
    public int Phase(int tap) => (Rows.Phase(tap / Columns.Kernel) * Columns.Phases) + Columns.Phase(tap % Columns.Kernel);

    /// <summary>The pixel of the input at each place of a grid, in one picture; -1 where it is empty.</summary>
    public int[] InputPixels(int phase)
    {
        var (rowPhase, columnPhase) = (phase / Columns.Phases, phase % Columns.Phases);
        return Pixels(row => Rows.Input(rowPhase, row), column => Columns.Input(columnPhase, column), Columns.Inputs);
    }

    /// <summary>The pixel of the output at each place, as above.</summary>
    public int[] OutputPixels() => Pixels(row => row < Rows.Outputs ? row : -1, column => column < Columns.Outputs ? column : -1, Columns.Outputs);

    private int[] Pixels(Func<int, int> rowAt, Func<int, int> columnAt, int width)
    {
        var pixels = new int[Grid];
        for (var place = 0; place < pixels.Length; place++)
        {
            var (row, column) = (rowAt(place / Columns.Grid), columnAt(place % Columns.Grid));
            pixels[place] = row < 0 || column < 0 ? -1 : (row * width) + column;
        }
        return pixels;
    }
}

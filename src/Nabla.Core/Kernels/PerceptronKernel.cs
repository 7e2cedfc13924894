using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// A chain of linear layers with relu between them, on the processor's tiles: forward and backward in one call each, with activations in
/// bfloat16 and sums, biases and gradients of weights in float32, the arithmetic of mixed precision.
/// </summary>
internal static unsafe class PerceptronKernel
{
    /// <summary>Entries of what the forward pass keeps: the input of each layer in bfloat16, row by row, filled up to whole tiles.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    public static long TapeSize(int batch, ReadOnlySpan<int> widths)
    {
        var size = 0L;
        foreach (var width in widths[..^1])
        {
            size += (long)batch * TileProduct.PadInner(width);
        }
        return size;
    }

    /// <summary>Forward.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    /// <param name="x">Input, float32, <c>[batch, widths[0]]</c>.</param>
    /// <param name="weights">Weight of each layer, float32, <c>[output, input]</c>.</param>
    /// <param name="biases">Bias of each layer, float32; 0: none.</param>
    /// <param name="tape">Takes the inputs of the layers, <see cref="TapeSize"/> entries.</param>
    /// <param name="y">Takes the output, float32, <c>[batch, widths[^1]]</c>.</param>
    public static void Forward(int batch, ReadOnlySpan<int> widths, nint x, ReadOnlySpan<nint> weights, ReadOnlySpan<nint> biases, nint tape, nint y)
    {
        var input = (ushort*)tape;
        TilePacking.Rows((float*)x, batch, widths[0], widths[0], input, TileProduct.PadInner(widths[0]));
        using var sums = new KernelBuffer((long)batch * TileProduct.PanelWidth * sizeof(float));
        for (var layer = 0; layer < weights.Length; layer++)
        {
            var (inputs, outputs) = (widths[layer], widths[layer + 1]);
            var (padded, isLast) = (TileProduct.PadInner(inputs), layer == weights.Length - 1);
            var next = input + ((long)batch * padded);
            using var packed = new KernelBuffer((long)TileProduct.PackedSize(inputs, outputs) * sizeof(ushort));
            TilePacking.PanelsOfTranspose((float*)weights[layer], inputs, outputs, inputs, (ushort*)packed.Address);
            for (var column = 0; column < outputs; column += TileProduct.PanelWidth)
            {
                var columns = Math.Min(TileProduct.PanelWidth, outputs - column);
                TileProduct.MultiplyPanel(batch, columns, padded, input, padded, (ushort*)packed.Address + TileProduct.PanelOffset(padded, column), (float*)sums.Address, TileProduct.PanelWidth);
                var bias = biases[layer] == 0 ? null : (float*)biases[layer] + column;
                var sum = (float*)sums.Address;
                if (isLast)
                {
                    Add(sum, batch, bias, columns, (float*)y + column, outputs);
                    continue;
                }
                AddAndCut(sum, batch, bias, columns);
                TilePacking.Rows(sum, batch, columns, TileProduct.PanelWidth, next + column, TileProduct.PadInner(outputs), Padding(column, outputs));
            }
            input = next;
        }
        TileProduct.Release();
    }

    /// <summary>Backward.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    /// <param name="tape">What the forward pass kept.</param>
    /// <param name="weights">Weight of each layer.</param>
    /// <param name="gradient">Gradient of the output, float32.</param>
    /// <param name="weightGradients">Take the gradients of the weights, float32.</param>
    /// <param name="biasGradients">Take those of the biases; 0: none.</param>
    /// <param name="inputGradient">Takes that of the input; 0: none.</param>
    public static void Backward(
        int batch, ReadOnlySpan<int> widths, nint tape, ReadOnlySpan<nint> weights, nint gradient, ReadOnlySpan<nint> weightGradients, ReadOnlySpan<nint> biasGradients, nint inputGradient)
    {
        var widest = 0;
        foreach (var width in widths)
        {
            widest = Math.Max(widest, width);
        }
        var (paddedBatch, paddedWidest) = (TileProduct.PadInner(batch), TileProduct.PadInner(widest));
        using var sums = new KernelBuffer((long)batch * TileProduct.PanelWidth * sizeof(float));
        using var slopesA = new KernelBuffer((long)batch * paddedWidest * sizeof(ushort));
        using var slopesB = new KernelBuffer((long)batch * paddedWidest * sizeof(ushort));
        using var transposedA = new KernelBuffer((long)paddedBatch * paddedWidest * sizeof(ushort));
        using var transposedB = new KernelBuffer((long)paddedBatch * paddedWidest * sizeof(ushort));
        ushort* slopes = (ushort*)slopesA.Address, below = (ushort*)slopesB.Address;
        ushort* transposed = (ushort*)transposedA.Address, belowTransposed = (ushort*)transposedB.Address;
        var last = widths[^1];
        TilePacking.Rows((float*)gradient, batch, last, last, slopes, TileProduct.PadInner(last));
        TilePacking.RowsOfTranspose((float*)gradient, batch, last, last, transposed, paddedBatch);
        SumRows((float*)gradient, batch, last, last, (float*)biasGradients[^1]);
        var input = (ushort*)tape + TapeSize(batch, widths);
        for (var layer = weights.Length - 1; layer >= 0; layer--)
        {
            var (inputs, outputs) = (widths[layer], widths[layer + 1]);
            var (paddedInputs, paddedOutputs) = (TileProduct.PadInner(inputs), TileProduct.PadInner(outputs));
            input -= (long)batch * paddedInputs;
            using var packed = new KernelBuffer((long)Math.Max(TileProduct.PackedSize(batch, inputs), TileProduct.PackedSize(outputs, inputs)) * sizeof(ushort));
            var panels = (ushort*)packed.Address;
            TilePacking.Panels(input, batch, inputs, paddedInputs, panels);
            TileProduct.Multiply(outputs, inputs, paddedBatch, transposed, paddedBatch, panels, (float*)weightGradients[layer], inputs);
            if (layer == 0 && inputGradient == 0)
            {
                break;
            }
            TilePacking.Panels((float*)weights[layer], outputs, inputs, inputs, panels);
            if (layer == 0)
            {
                TileProduct.Multiply(batch, inputs, paddedOutputs, slopes, paddedOutputs, panels, (float*)inputGradient, inputs);
                break;
            }
            for (var column = 0; column < inputs; column += TileProduct.PanelWidth)
            {
                var columns = Math.Min(TileProduct.PanelWidth, inputs - column);
                var sum = (float*)sums.Address;
                TileProduct.MultiplyPanel(batch, columns, paddedOutputs, slopes, paddedOutputs, panels + TileProduct.PanelOffset(paddedOutputs, column), sum, TileProduct.PanelWidth);
                Mask(sum, batch, input + column, paddedInputs, columns);
                SumRows(sum, batch, columns, TileProduct.PanelWidth, biasGradients[layer - 1] == 0 ? null : (float*)biasGradients[layer - 1] + column);
                TilePacking.Rows(sum, batch, columns, TileProduct.PanelWidth, below + column, paddedInputs, Padding(column, inputs));
                TilePacking.RowsOfTranspose(sum, batch, columns, TileProduct.PanelWidth, belowTransposed + ((long)column * paddedBatch), paddedBatch);
            }
            var free = slopes;
            slopes = below;
            below = free;
            free = transposed;
            transposed = belowTransposed;
            belowTransposed = free;
        }
        TileProduct.Release();
    }

    /// <summary>Entries of a row that the panel from a column on writes: the last panel also writes the zeros that fill the row up.</summary>
    private static int Padding(int column, int columns)
        => columns - column <= TileProduct.PanelWidth ? TileProduct.PadInner(columns) - column : TileProduct.PanelWidth;

    /// <summary>sum + bias, <paramref name="stride"/> entries from row to row of the target.</summary>
    private static void Add(float* sum, int rows, float* bias, int count, float* target, int stride)
    {
        for (var row = 0; row < rows; row++, sum += TileProduct.PanelWidth, target += stride)
        {
            var i = 0;
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var value = Vector512.Load(sum + i);
                (bias is null ? value : value + Vector512.Load(bias + i)).Store(target + i);
            }
            for (; i < count; i++)
            {
                target[i] = sum[i] + (bias is null ? 0 : bias[i]);
            }
        }
    }

    /// <summary>relu(sum + bias) in place; NaN stays NaN.</summary>
    private static void AddAndCut(float* sum, int rows, float* bias, int count)
    {
        for (var row = 0; row < rows; row++, sum += TileProduct.PanelWidth)
        {
            var i = 0;
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var value = Vector512.Load(sum + i);
                value = bias is null ? value : value + Vector512.Load(bias + i);
                Vector512.ConditionalSelect(Vector512.LessThan(value, Vector512<float>.Zero), Vector512<float>.Zero, value).Store(sum + i);
            }
            for (; i < count; i++)
            {
                var value = sum[i] + (bias is null ? 0 : bias[i]);
                sum[i] = value < 0 ? 0 : value;
            }
        }
    }

    /// <summary>Zeros where the activation was cut.</summary>
    private static void Mask(float* slopes, int rows, ushort* activations, int stride, int count)
    {
        for (var row = 0; row < rows; row++, slopes += TileProduct.PanelWidth, activations += stride)
        {
            var i = 0;
            for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
            {
                var isCut = Vector512.Equals(Avx512F.ConvertToVector512UInt32(Vector256.Load(activations + i)), Vector512<uint>.Zero);
                Vector512.AndNot(Vector512.Load(slopes + i).AsUInt32(), isCut).AsSingle().Store(slopes + i);
            }
            for (; i < count; i++)
            {
                slopes[i] = activations[i] == 0 ? 0 : slopes[i];
            }
        }
    }

    /// <summary>Sums of columns; <paramref name="target"/> may be null.</summary>
    private static void SumRows(float* source, int rows, int columns, int stride, float* target)
    {
        if (target is null)
        {
            return;
        }
        var i = 0;
        for (; i <= columns - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var sum = Vector512<float>.Zero;
            for (var row = 0; row < rows; row++)
            {
                sum += Vector512.Load(source + ((long)row * stride) + i);
            }
            sum.Store(target + i);
        }
        for (; i < columns; i++)
        {
            var sum = 0f;
            for (var row = 0; row < rows; row++)
            {
                sum += source[((long)row * stride) + i];
            }
            target[i] = sum;
        }
    }
}

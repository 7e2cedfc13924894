using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>
/// A chain of linear layers with relu between them, on the processor's tiles: forward and backward in one call each, with activations in
/// bfloat16 and sums, biases and gradients of weights in float32, the arithmetic of mixed precision. Work is shared among threads in pieces
/// that depend on the shapes only, so results are the same bits for any number of them: weights by blocks of their rows, then rows through all layers,
/// then gradients of weights by the same blocks.
/// </summary>
internal static unsafe class PerceptronKernel
{
    /// <summary>
    /// Entries of what the forward pass keeps: the input of each layer in bfloat16, row by row, filled up to whole tiles; and where a backward pass
    /// follows, each layer's weight and input packed for it, which costs least while they are at hand.
    /// </summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    /// <param name="isTrained">Whether a backward pass follows.</param>
    public static long TapeSize(int batch, ReadOnlySpan<int> widths, bool isTrained)
    {
        var last = PerceptronLayer.Of(batch, widths)[^1];
        return last.TapeEnd(batch) + (isTrained ? last.BackwardEnd + last.TapePanelsEnd : 0);
    }

    /// <summary>Forward.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    /// <param name="x">Input, float32, <c>[batch, widths[0]]</c>.</param>
    /// <param name="weights">Weight of each layer, float32, <c>[output, input]</c>.</param>
    /// <param name="biases">Bias of each layer, float32; 0: none.</param>
    /// <param name="tape">Takes the inputs of the layers and more, <see cref="TapeSize"/> entries.</param>
    /// <param name="y">Takes the output, float32, <c>[batch, widths[^1]]</c>.</param>
    /// <param name="isTrained">Whether a backward pass follows.</param>
    /// <param name="needsInputGradient">Whether it gives the gradient of the input.</param>
    public static void Forward(int batch, int[] widths, nint x, nint[] weights, nint[] biases, nint tape, nint y, bool isTrained, bool needsInputGradient)
    {
        var layers = PerceptronLayer.Of(batch, widths);
        using var packed = new KernelBuffer(layers[^1].ForwardEnd * sizeof(ushort));
        var panels = (ushort*)packed.Address;
        var isShared = IsShared(batch, widths);
        var parts = new Tape(tape, batch, layers[^1]);
        ShareBlocks(isShared, layers, block =>
        {
            var (layer, first, count) = PerceptronLayer.OfBlock(layers, block);
            using var rounded = new KernelBuffer((long)count * layer.PaddedInputs * sizeof(ushort));
            var source = (ushort*)rounded.Address;
            TilePacking.Rows((float*)weights[layer.Number] + ((long)first * layer.Inputs), count, layer.Inputs, layer.Inputs, source, layer.PaddedInputs);
            TilePacking.PanelColumns(source, first, count, layer.Outputs, layer.Inputs, layer.PaddedInputs, panels + layer.Forward);
            if (isTrained && (layer.Number > 0 || needsInputGradient))
            {
                TilePacking.PanelRows(source, first, count, layer.Outputs, layer.Inputs, layer.PaddedInputs, parts.WeightPanels + layer.Backward);
            }
        });
        Share(isShared, Chunks(batch), chunk =>
        {
            var start = chunk * ChunkRows;
            var count = Math.Min(ChunkRows, batch - start);
            ForwardRows(layers, start, count, (float*)x, panels, biases, parts.Rows, (float*)y);
            foreach (var layer in isTrained ? layers : [])
            {
                TilePacking.PanelRows(parts.Rows + layer.Tape + ((long)start * layer.PaddedInputs), start, count, batch, layer.Inputs, layer.PaddedInputs, parts.InputPanels + layer.TapePanels);
            }
        });
    }

    /// <summary>Backward.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    /// <param name="tape">What the forward pass kept.</param>
    /// <param name="gradient">Gradient of the output, float32.</param>
    /// <param name="weightGradients">Take the gradients of the weights, float32.</param>
    /// <param name="biasGradients">Take those of the biases; 0: none.</param>
    /// <param name="inputGradient">Takes that of the input; 0: none.</param>
    public static void Backward(int batch, int[] widths, nint tape, nint gradient, nint[] weightGradients, nint[] biasGradients, nint inputGradient)
    {
        var layers = PerceptronLayer.Of(batch, widths);
        var (chunks, paddedBatch, isShared, last) = (Chunks(batch), TileProduct.PadInner(batch), IsShared(batch, widths), layers[^1]);
        var parts = new Tape(tape, batch, last);
        using KernelBuffer slopeBuffer = new(last.SlopesEnd * sizeof(ushort)), sumBuffer = new((long)chunks * last.BiasesEnd * sizeof(float));
        var slopes = (ushort*)slopeBuffer.Address;
        var sums = (float*)sumBuffer.Address;
        Share(isShared, chunks, chunk =>
        {
            var start = chunk * ChunkRows;
            BackwardRows(
                layers, start, Math.Min(ChunkRows, batch - start), paddedBatch, parts.Rows, parts.WeightPanels, (float*)gradient, slopes, sums + ((long)chunk * last.BiasesEnd), (float*)inputGradient);
        });
        ShareBlocks(isShared, layers, block =>
        {
            var (layer, row, rows) = PerceptronLayer.OfBlock(layers, block);
            TileProduct.Multiply(rows, layer.Inputs, paddedBatch, slopes + layer.Slopes + ((long)row * paddedBatch), paddedBatch, parts.InputPanels + layer.TapePanels,
                (float*)weightGradients[layer.Number] + ((long)row * layer.Inputs), layer.Inputs);
            TileProduct.Release();
            if (biasGradients[layer.Number] != 0)
            {
                SumRows(sums + layer.Biases + row, chunks, rows, last.BiasesEnd, (float*)biasGradients[layer.Number] + row);
            }
        });
    }

    /// <summary>Where the parts of a tape begin.</summary>
    private readonly struct Tape(nint start, int batch, PerceptronLayer last)
    {
        /// <summary>The input of each layer, row by row.</summary>
        public ushort* Rows => (ushort*)start;

        /// <summary>The weight of each layer, packed for the backward pass.</summary>
        public ushort* WeightPanels => Rows + last.TapeEnd(batch);

        /// <summary>The input of each layer, packed for the gradient of its weight.</summary>
        public ushort* InputPanels => WeightPanels + last.BackwardEnd;
    }

    private const int Wide = 16, Pair = 2 * Wide; // numbers in a vector, and in two that are narrowed to one
    private const int ChunkRows = 32; // part of the result: sums of biases are made for each chunk
    private const long SharedFrom = 2L << 20; // multiply-adds; the five parts of a smaller step are a few microseconds each

    private static int Chunks(int batch) => (batch + ChunkRows - 1) / ChunkRows;

    private static bool IsShared(int batch, int[] widths)
    {
        var work = 0L;
        for (var layer = 1; layer < widths.Length; layer++)
        {
            work += (long)batch * widths[layer - 1] * widths[layer];
        }
        return work >= SharedFrom;
    }

    /// <summary>By blocks of weights: each thread has the same ones in each pass, which an optimiser that goes through them in order has as well.</summary>
    private static void ShareBlocks(bool isShared, PerceptronLayer[] layers, Action<int> body)
    {
        if (isShared)
        {
            KernelTeam.Run(PerceptronLayer.BlockSizes(layers), body);
            return;
        }
        Share(isShared, layers[^1].OutputBlocksEnd, body);
    }

    private static void Share(bool isShared, int count, Action<int> body)
    {
        if (isShared)
        {
            KernelTeam.Run(count, body);
            return;
        }
        for (var i = 0; i < count; i++)
        {
            body(i);
        }
    }

    /// <summary>Some rows through all layers: no other row is needed for them.</summary>
    private static void ForwardRows(PerceptronLayer[] layers, int start, int rows, float* x, ushort* panels, nint[] biases, ushort* tape, float* y)
    {
        using var sums = new KernelBuffer((long)rows * TileProduct.PanelWidth * sizeof(float));
        var sum = (float*)sums.Address;
        var first = layers[0];
        TilePacking.Rows(x + ((long)start * first.Inputs), rows, first.Inputs, first.Inputs, tape + ((long)start * first.PaddedInputs), first.PaddedInputs);
        foreach (var layer in layers)
        {
            var input = tape + layer.Tape + ((long)start * layer.PaddedInputs);
            for (var column = 0; column < layer.Outputs; column += TileProduct.PanelWidth)
            {
                var columns = Math.Min(TileProduct.PanelWidth, layer.Outputs - column);
                TileProduct.MultiplyPanel(rows, columns, layer.PaddedInputs, input, layer.PaddedInputs, panels + layer.Forward + TileProduct.PanelOffset(layer.PaddedInputs, column), sum, TileProduct.PanelWidth);
                var bias = biases[layer.Number] == 0 ? null : (float*)biases[layer.Number] + column;
                if (layer.Number == layers.Length - 1)
                {
                    Add(sum, rows, bias, columns, y + ((long)start * layer.Outputs) + column, layer.Outputs);
                    continue;
                }
                var next = layers[layer.Number + 1];
                Cut(sum, rows, bias, columns, tape + next.Tape + ((long)start * next.PaddedInputs) + column, next.PaddedInputs, Padding(column, layer.Outputs));
            }
        }
        TileProduct.Release();
    }

    /// <summary>Slopes of some rows, layer by layer downwards: transposed for the gradients of weights, and summed for those of biases.</summary>
    private static void BackwardRows(
        PerceptronLayer[] layers, int start, int rows, int paddedBatch, ushort* tape, ushort* weightPanels, float* gradient, ushort* transposed, float* biases, float* inputGradient)
    {
        var widest = 0;
        foreach (var layer in layers)
        {
            widest = Math.Max(widest, layer.PaddedOutputs);
        }
        using var sums = new KernelBuffer((long)rows * TileProduct.PanelWidth * sizeof(float));
        using KernelBuffer slopesA = new((long)rows * widest * sizeof(ushort)), slopesB = new((long)rows * widest * sizeof(ushort));
        ushort* slopes = (ushort*)slopesA.Address, below = (ushort*)slopesB.Address;
        var sum = (float*)sums.Address;
        var last = layers[^1];
        var own = gradient + ((long)start * last.Outputs);
        TilePacking.Rows(own, rows, last.Outputs, last.Outputs, slopes, last.PaddedOutputs);
        TilePacking.RowsOfTranspose(own, rows, last.Outputs, last.Outputs, transposed + last.Slopes + start, paddedBatch);
        SumRows(own, rows, last.Outputs, last.Outputs, biases + last.Biases);
        for (var number = layers.Length - 1; number >= 0; number--)
        {
            var layer = layers[number];
            var panels = weightPanels + layer.Backward;
            if (number == 0)
            {
                if (inputGradient is not null)
                {
                    TileProduct.Multiply(rows, layer.Inputs, layer.PaddedOutputs, slopes, layer.PaddedOutputs, panels, inputGradient + ((long)start * layer.Inputs), layer.Inputs);
                }
                break;
            }
            var lower = layers[number - 1];
            var input = tape + layer.Tape + ((long)start * layer.PaddedInputs);
            for (var column = 0; column < layer.Inputs; column += TileProduct.PanelWidth)
            {
                var columns = Math.Min(TileProduct.PanelWidth, layer.Inputs - column);
                TileProduct.MultiplyPanel(rows, columns, layer.PaddedOutputs, slopes, layer.PaddedOutputs, panels + TileProduct.PanelOffset(layer.PaddedOutputs, column), sum, TileProduct.PanelWidth);
                Mask(sum, rows, input + column, columns, below + column, layer.PaddedInputs, Padding(column, layer.Inputs), biases + lower.Biases + column);
                TilePacking.RowsOfTranspose(below + column, rows, columns, layer.PaddedInputs, transposed + lower.Slopes + ((long)column * paddedBatch) + start, paddedBatch);
            }
            var free = slopes;
            slopes = below;
            below = free;
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

    /// <summary>relu(sum + bias), rounded to bfloat16; NaN stays NaN. <paramref name="written"/> entries of each row are written, zeros from <paramref name="count"/> on.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Cut(float* sum, int rows, float* bias, int count, ushort* target, int stride, int written)
    {
        var added = stackalloc float[TileProduct.PanelWidth];
        new Span<float>(added, TileProduct.PanelWidth).Clear();
        if (bias is not null)
        {
            new ReadOnlySpan<float>(bias, count).CopyTo(new(added, count));
        }
        for (var row = 0; row < rows; row++, sum += TileProduct.PanelWidth, target += stride)
        {
            var i = 0;
            for (; i <= count - Pair; i += Pair)
            {
                // The second operand comes through where one is not a number.
                var low = Avx512F.Max(Vector512<float>.Zero, Vector512.Load(sum + i) + Vector512.Load(added + i));
                var high = Avx512F.Max(Vector512<float>.Zero, Vector512.Load(sum + i + Wide) + Vector512.Load(added + i + Wide));
                Vector512.Narrow(TilePacking.Round(low), TilePacking.Round(high)).Store(target + i);
            }
            for (; i < count; i++)
            {
                var value = sum[i] + added[i];
                target[i] = TilePacking.Round(value < 0 ? 0 : value);
            }
            for (; i < written; i++)
            {
                target[i] = 0;
            }
        }
    }

    /// <summary>
    /// Slopes below a relu: zero where the activation was cut. Rounded to bfloat16, <paramref name="written"/> entries a row, zeros from <paramref name="count"/> on; and
    /// their sums over the rows, before they are rounded.
    /// </summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Mask(float* slopes, int rows, ushort* activations, int count, ushort* target, int stride, int written, float* sums)
    {
        var total = stackalloc float[TileProduct.PanelWidth];
        new Span<float>(total, TileProduct.PanelWidth).Clear();
        for (var row = 0; row < rows; row++, slopes += TileProduct.PanelWidth, activations += stride, target += stride)
        {
            var i = 0;
            for (; i <= count - Pair; i += Pair)
            {
                var low = Kept(slopes + i, activations + i);
                var high = Kept(slopes + i + Wide, activations + i + Wide);
                (Vector512.Load(total + i) + low).Store(total + i);
                (Vector512.Load(total + i + Wide) + high).Store(total + i + Wide);
                Vector512.Narrow(TilePacking.Round(low), TilePacking.Round(high)).Store(target + i);
            }
            for (; i < count; i++)
            {
                var value = activations[i] == 0 ? 0 : slopes[i];
                total[i] += value;
                target[i] = TilePacking.Round(value);
            }
            for (; i < written; i++)
            {
                target[i] = 0;
            }
        }
        new ReadOnlySpan<float>(total, count).CopyTo(new(sums, count));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Kept(float* slopes, ushort* activations)
    {
        var isCut = Vector512.Equals(Avx512F.ConvertToVector512UInt32(Vector256.Load(activations)), Vector512<uint>.Zero);
        return Vector512.AndNot(Vector512.Load(slopes).AsUInt32(), isCut).AsSingle();
    }

    /// <summary>Sums of columns.</summary>
    private static void SumRows(float* source, int rows, int columns, int stride, float* target)
    {
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

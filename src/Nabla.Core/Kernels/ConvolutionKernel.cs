using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Nabla.Core.Kernels;

/// <summary>
/// The gradient of a convolution's weight on the processor's tiles. Outputs and inputs are laid out once over a common grid of places, outputs
/// channel by channel and inputs place by place; the gradient of each tap is then a product of the two with outputs shifted by some places, which
/// costs nothing but another address. Work is cut by the shapes only, so results are the same bits for any number of threads. The library's own kernel
/// waits at barriers for both cores thousands of times a step, which on a shared machine is most of its time, and is slow on small pictures.
/// </summary>
internal static unsafe class ConvolutionKernel
{
    private const int BlockChannels = 64; // outputs of an item; with 64 inputs and 9 taps its sums take 147 KB of the second-level cache
    private const int ChunkPlaces = 512; // of both operands, 128 KB each
    private const int PackedPlaces = 1024;
    private const int FewestItems = 16; // what several threads can share
    private const int Block = 16;

    /// <summary>The gradient of the weight.</summary>
    /// <param name="plan">The convolution.</param>
    /// <param name="x">Input, bfloat16, <c>[batch, height, width, channels]</c>.</param>
    /// <param name="gradient">Gradient of the output, bfloat16, <c>[batch, height, width, channels]</c>.</param>
    /// <param name="weightGradient">Takes the result, float32, <c>[outputs, inputs, kernel height, kernel width]</c>.</param>
    public static void WeightGradient(ConvolutionPlan plan, nint x, nint gradient, nint weightGradient)
    {
        var (places, stride, grids) = (plan.Places, plan.ChannelStride(), plan.Phases);
        long inputSize = TileProduct.PackedSize(places, plan.Inputs);
        using KernelBuffer inputBuffer = new(grids * inputSize * sizeof(ushort)), outputBuffer = new((long)plan.Outputs * stride * sizeof(ushort));
        ushort* inputs = (ushort*)inputBuffer.Address, outputs = (ushort*)outputBuffer.Address;
        var pieces = Count(places, PackedPlaces);
        Pixels[] inputPixels = [.. Enumerable.Range(0, grids).Select(grid => new Pixels(x, plan.InputPixels(grid), plan.Rows.Inputs * plan.Columns.Inputs, plan.Inputs, plan.Batch))];
        Pixels outputPixels = new(gradient, plan.OutputPixels(), plan.Rows.Outputs * plan.Columns.Outputs, plan.Outputs, plan.Batch);
        KernelTeam.Run(pieces * (grids + 1), piece =>
        {
            var (grid, start) = (piece / pieces, piece % pieces * PackedPlaces);
            var count = Math.Min(PackedPlaces, places - start);
            if (grid == grids)
            {
                PackOutputs(outputPixels, start, count, plan.Before, places, stride, outputs);
                return;
            }
            PackInputs(inputPixels[grid], start, count, places, inputs + (grid * inputSize));
        });
        Multiply(plan, inputs, inputSize, outputs, stride, (float*)weightGradient);
    }

    private static void Multiply(ConvolutionPlan plan, ushort* inputs, long inputSize, ushort* outputs, int stride, float* target)
    {
        var (blocks, panels, taps) = (Count(plan.Outputs, BlockChannels), Count(plan.Inputs, TileProduct.PanelWidth), plan.Taps);
        var chunks = Count(plan.Places, ChunkPlaces);
        var parts = Math.Clamp(FewestItems / (blocks * panels), 1, chunks);
        long sumSize = (long)taps * BlockChannels * TileProduct.PanelWidth;
        using KernelBuffer sumBuffer = new(parts * blocks * panels * sumSize * sizeof(float));
        var sums = (float*)sumBuffer.Address;
        KernelTeam.Run(parts * blocks * panels, item =>
        {
            var (part, block, panel) = (item / (blocks * panels), item / panels % blocks, item % panels);
            MultiplyBlock(plan, inputs, inputSize, outputs, stride, block * BlockChannels, panel * TileProduct.PanelWidth,
                (int)((long)chunks * part / parts), (int)((long)chunks * (part + 1) / parts), sums + (item * sumSize));
        });
        KernelTeam.Run(blocks * panels, item => AddParts(plan, sums + (item * sumSize), parts, blocks * panels * sumSize, item / panels * BlockChannels, item % panels * TileProduct.PanelWidth, target));
    }

    /// <summary>Sums of some places for a block of outputs and a panel of inputs, <c>[taps, 64, 64]</c>.</summary>
    private static void MultiplyBlock(ConvolutionPlan plan, ushort* inputs, long inputSize, ushort* outputs, int stride, int output, int input, int firstChunk, int endChunk, float* sums)
    {
        var (rows, columns) = (Math.Min(BlockChannels, plan.Outputs - output), Math.Min(TileProduct.PanelWidth, plan.Inputs - input));
        var width = TileProduct.PaddedWidth(plan.Inputs - input);
        for (var chunk = firstChunk; chunk < endChunk; chunk++)
        {
            var start = chunk * ChunkPlaces;
            var count = Math.Min(ChunkPlaces, plan.Places - start);
            for (var tap = 0; tap < plan.Taps; tap++)
            {
                var a = outputs + ((long)output * stride) + plan.Before + start - plan.Offset(tap);
                var b = inputs + (plan.Phase(tap) * inputSize) + TileProduct.PanelOffset(plan.Places, input) + ((long)start * width);
                TileProduct.MultiplyPanel(rows, columns, count, a, stride, b, sums + ((long)tap * BlockChannels * TileProduct.PanelWidth), TileProduct.PanelWidth, add: chunk > firstChunk);
            }
        }
        TileProduct.Release();
    }

    /// <summary>Adds the sums of all parts, in order, and lays them out as the weight.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void AddParts(ConvolutionPlan plan, float* sums, int parts, long partSize, int output, int input, float* target)
    {
        var (rows, columns, taps) = (Math.Min(BlockChannels, plan.Outputs - output), Math.Min(TileProduct.PanelWidth, plan.Inputs - input), plan.Taps);
        var row = stackalloc float[TileProduct.PanelWidth];
        for (var i = 0; i < rows; i++)
        {
            var place = target + ((((long)(output + i) * plan.Inputs) + input) * taps);
            for (var tap = 0; tap < taps; tap++)
            {
                var source = sums + ((((long)tap * BlockChannels) + i) * TileProduct.PanelWidth);
                for (var column = 0; column < columns; column += Block)
                {
                    var sum = Vector512.Load(source + column);
                    for (var part = 1; part < parts; part++)
                    {
                        sum += Vector512.Load(source + (part * partSize) + column);
                    }
                    sum.Store(row + column);
                }
                for (var column = 0; column < columns; column++)
                {
                    place[(column * taps) + tap] = row[column];
                }
            }
        }
    }

    /// <summary>Some places of a grid of inputs into panels.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void PackInputs(Pixels pixels, int start, int count, int places, ushort* target)
    {
        var rows = stackalloc ushort*[PackedPlaces];
        pixels.Find(start, count, rows);
        for (var channel = 0; channel < pixels.Channels; channel += TileProduct.PanelWidth)
        {
            var width = TileProduct.PaddedWidth(pixels.Channels - channel);
            var panel = target + TileProduct.PanelOffset(places, channel) + ((long)start * width);
            TilePacking.PairsOf(rows, count, channel, Math.Min(TileProduct.PanelWidth, pixels.Channels - channel), width, (uint*)panel);
        }
    }

    /// <summary>Some places of the outputs into rows of one channel each, with the empty places before and behind them.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void PackOutputs(Pixels pixels, int start, int count, int before, int places, int stride, ushort* target)
    {
        var rows = stackalloc ushort*[PackedPlaces];
        pixels.Find(start, count, rows);
        for (var channel = 0; channel < pixels.Channels; channel += Block)
        {
            var channels = Math.Min(Block, pixels.Channels - channel);
            for (var i = 0; i < count; i += 2 * Block)
            {
                TilePacking.RowsOfTranspose(rows + i, channel, channels, target + ((long)channel * stride) + before + start + i, stride);
            }
            for (var i = 0; i < channels; i++)
            {
                var row = target + ((long)(channel + i) * stride);
                if (start == 0)
                {
                    new Span<ushort>(row, before).Clear();
                }
                if (start + count == places)
                {
                    new Span<ushort>(row + before + places, stride - before - places).Clear();
                }
            }
        }
    }

    private static int Count(int size, int step) => (size + step - 1) / step;

    /// <summary>Where the channels of the pixels at the places of a grid lie.</summary>
    private sealed class Pixels(nint pictures, int[] places, int size, int channels, int batch)
    {
        public int Channels => channels;

        /// <summary>Finds some of them; null where a place is empty.</summary>
        [MethodImpl(Compiled.AtOnce)]
        public void Find(int start, int count, ushort** target)
        {
            var (picture, place) = Math.DivRem(start, places.Length);
            for (var i = 0; i < count; i++)
            {
                var pixel = picture < batch ? places[place] : -1;
                target[i] = pixel < 0 ? null : (ushort*)pictures + ((((long)picture * size) + pixel) * channels);
                if (++place == places.Length)
                {
                    (place, picture) = (0, picture + 1);
                }
            }
        }
    }
}

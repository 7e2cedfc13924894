using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>What the forward pass of an LSTM layer reads.</summary>
/// <param name="X">Input, <c>[batch, time, inputs]</c>, float32 or bfloat16; the steps of a sequence are contiguous.</param>
/// <param name="IsHalf">Whether the input is bfloat16.</param>
/// <param name="XStride">Entries from sequence to sequence of the input.</param>
/// <param name="InputWeight">float32, <c>[4 * hidden, inputs]</c>.</param>
/// <param name="StateWeight">float32, <c>[4 * hidden, hidden]</c>.</param>
/// <param name="Bias">Sum of both biases, float32, <c>[4 * hidden]</c>.</param>
/// <param name="Hidden">Initial state, float32, <c>[batch, hidden]</c>.</param>
/// <param name="Memory">Initial memory, float32, <c>[batch, hidden]</c>.</param>
internal readonly record struct LstmSource(nint X, bool IsHalf, long XStride, nint InputWeight, nint StateWeight, nint Bias, nint Hidden, nint Memory);

/// <summary>
/// One direction of one LSTM layer (Hochreiter and Schmidhuber, 1997): products in bfloat16 on the processor's tiles, which hold the packed weights
/// in the second-level cache over all steps; gates, memory and sums in float32. Products with inputs are taken for several steps at once; those
/// with the state for one group of units after the other, whose gates are computed while their sums lie in the first-level cache. A step past a
/// sequence's end leaves its state alone. Chunks of sequences are shared among threads.
/// </summary>
internal static unsafe class LstmForward
{
    private const int BlockRows = 128; // rows of steps whose products with inputs are taken at once; their sums stay in the second-level cache
    private const int Width = 4 * LstmShape.Units;

    /// <summary>Runs the layer.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="source">What it reads.</param>
    /// <param name="tape">Takes what is kept.</param>
    /// <param name="y">Takes the outputs, then the final state and the final memory, float32, <c>[batch, time + 2, hidden]</c>.</param>
    public static void Run(LstmShape shape, LstmSource source, LstmTape tape, nint y)
    {
        using var inputPanels = new KernelBuffer((long)TileProduct.PackedSize(shape.Inputs, shape.Gates) * sizeof(ushort));
        using var statePanels = new KernelBuffer((long)TileProduct.PackedSize(shape.Hidden, shape.Gates) * sizeof(ushort));
        var (inputWeights, stateWeights) = ((nint)inputPanels.Address, (nint)statePanels.Address);
        KernelTeam.Run(shape.Groups, group =>
        {
            Pack(shape.Hidden, group, (float*)source.InputWeight, shape.Inputs, (ushort*)inputWeights);
            Pack(shape.Hidden, group, (float*)source.StateWeight, shape.Hidden, (ushort*)stateWeights);
        });
        KernelTeam.Run(shape.Chunks, chunk => RunChunk(shape, chunk, source, (ushort*)inputWeights, (ushort*)stateWeights, tape, (float*)y));
    }

    /// <summary>The four gates of a group of units side by side in one panel.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Pack(int hidden, int group, float* weight, int inner, ushort* panels)
    {
        var panel = (uint*)(panels + TileProduct.PanelOffset(TileProduct.PadInner(inner), group * Width));
        for (var gate = 0; gate < 4; gate++)
        {
            var rows = weight + (((long)gate * hidden) + (group * LstmShape.Units)) * inner;
            TilePacking.StripOfTranspose(rows, LstmShape.Units, inner, inner, panel + (gate * LstmShape.Units), Width);
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void RunChunk(LstmShape shape, int chunk, LstmSource source, ushort* inputWeights, ushort* stateWeights, LstmTape tape, float* y)
    {
        var (first, count, rows) = (shape.First(chunk), shape.Count(chunk), shape.ChunkRows);
        var (time, width, groups) = (shape.Time, shape.Hidden, shape.Groups);
        var (paddedInputs, paddedHidden) = (shape.PaddedInputs, shape.PaddedHidden);
        var inputs = (ushort*)tape.Inputs + ((long)chunk * time * rows * paddedInputs);
        var states = (ushort*)tape.States + ((long)chunk * time * rows * paddedHidden);
        var gates = (ushort*)tape.Gates + ((long)chunk * time * rows * shape.Gates);
        var memories = (float*)tape.Memories + ((long)chunk * (time + 1) * rows * width);
        var steps = Math.Max(1, Math.Min(time, BlockRows / rows));
        using var sums = new KernelBuffer((long)steps * rows * shape.Gates * sizeof(float));
        using var state = new KernelBuffer((long)rows * width * sizeof(float));
        var sum = (float*)sums.Address;
        var own = (float*)state.Address;
        if (count < rows || paddedHidden != width)
        {
            for (var turn = 0; turn < time; turn++)
            {
                new Span<ushort>(states + ((long)turn * rows * paddedHidden), rows * paddedHidden).Clear();
            }
        }
        TilePacking.Rows((float*)source.Hidden + ((long)first * width), count, width, width, states, paddedHidden);
        for (var row = 0; row < count; row++)
        {
            for (var group = 0; group < groups; group++)
            {
                var (from, to) = (((long)(first + row) * width) + (group * LstmShape.Units), ((group * rows) + row) * LstmShape.Units);
                Vector512.Load((float*)source.Hidden + from).Store(own + to);
                Vector512.Load((float*)source.Memory + from).Store(memories + to);
            }
        }
        for (var start = 0; start < time; start += steps)
        {
            var many = Math.Min(steps, time - start);
            var block = inputs + ((long)start * rows * paddedInputs);
            for (var k = 0; k < many; k++)
            {
                PackInputs(shape, source, first, count, shape.StepAt(start + k), block + ((long)k * rows * paddedInputs));
            }
            for (var group = 0; group < groups; group++)
            {
                TileProduct.MultiplyPanel(many * rows, Width, paddedInputs, block, paddedInputs, inputWeights + TileProduct.PanelOffset(paddedInputs, group * Width),
                    sum + ((long)group * steps * rows * Width), Width);
            }
            for (var k = 0; k < many; k++)
            {
                var (turn, step) = (start + k, shape.StepAt(start + k));
                var before = states + ((long)turn * rows * paddedHidden);
                var after = turn + 1 < time ? before + ((long)rows * paddedHidden) : null;
                for (var group = 0; group < groups; group++)
                {
                    var part = sum + ((((long)group * steps) + k) * rows * Width);
                    TileProduct.MultiplyPanel(rows, Width, paddedHidden, before, paddedHidden, stateWeights + TileProduct.PanelOffset(paddedHidden, group * Width), part, Width, add: true);
                    var place = ((((long)turn * groups) + group) * rows) * LstmShape.Units;
                    Cells(shape, first, count, step, group, part, (float*)source.Bias, gates + (4 * place), memories + place, own + ((long)group * rows * LstmShape.Units), after, y);
                }
            }
        }
        TileProduct.Release();
        for (var row = 0; row < count; row++)
        {
            for (var group = 0; group < groups; group++)
            {
                var last = y + ((((long)(first + row) * (time + 2)) + time) * width) + (group * LstmShape.Units);
                var from = ((group * rows) + row) * LstmShape.Units;
                Vector512.Load(own + from).Store(last);
                Vector512.Load(memories + ((long)time * rows * width) + from).Store(last + width);
            }
        }
    }

    [MethodImpl(Compiled.AtOnce)]
    private static void PackInputs(LstmShape shape, LstmSource source, int first, int count, int step, ushort* target)
    {
        var (inputs, padded) = (shape.Inputs, shape.PaddedInputs);
        for (var row = 0; row < shape.ChunkRows; row++, target += padded)
        {
            var place = ((first + row) * source.XStride) + ((long)step * inputs);
            if (row >= count)
            {
                new Span<ushort>(target, padded).Clear();
            }
            else if (source.IsHalf)
            {
                new ReadOnlySpan<ushort>((ushort*)source.X + place, inputs).CopyTo(new Span<ushort>(target, inputs));
                new Span<ushort>(target + inputs, padded - inputs).Clear();
            }
            else
            {
                TilePacking.Rows((float*)source.X + place, 1, inputs, 0, target, padded);
            }
        }
    }

    /// <summary><c>c' = f c + i g</c>, <c>h = o tanh(c')</c> for a group of units in all rows; gates are kept after their functions.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Cells(LstmShape shape, int first, int count, int step, int group, float* sums, float* bias, ushort* gates, float* memory, float* state, ushort* after, float* y)
    {
        const int Units = LstmShape.Units;
        var (width, padded, lengths) = (shape.Hidden, shape.PaddedHidden, shape.Lengths);
        var next = memory + ((long)shape.Groups * shape.ChunkRows * Units);
        bias += group * Units;
        var (inputBias, forgetBias) = (Vector512.Load(bias), Vector512.Load(bias + width));
        var (candidateBias, outputBias) = (Vector512.Load(bias + (2 * width)), Vector512.Load(bias + (3 * width)));
        var stride = (shape.Time + 2L) * width;
        var target = y + (first * stride) + ((long)step * width) + (group * Units);
        after += after is null ? 0 : group * Units;
        for (var row = 0; row < count; row++, sums += Width, gates += Width, memory += Units, next += Units, state += Units, target += stride)
        {
            if (lengths is not null && step >= lengths[first + row])
            {
                Vector512.Load(memory).Store(next);
                Vector512<float>.Zero.Store(target);
            }
            else
            {
                var input = GateFunctions.Sigmoid(Vector512.Load(sums) + inputBias);
                var forget = GateFunctions.Sigmoid(Vector512.Load(sums + Units) + forgetBias);
                var candidate = GateFunctions.Tanh(Vector512.Load(sums + (2 * Units)) + candidateBias);
                var output = GateFunctions.Sigmoid(Vector512.Load(sums + (3 * Units)) + outputBias);
                var cell = (forget * Vector512.Load(memory)) + (input * candidate);
                var result = output * GateFunctions.Tanh(cell);
                cell.Store(next);
                result.Store(state);
                result.Store(target);
                Store(input, gates);
                Store(forget, gates + Units);
                Store(candidate, gates + (2 * Units));
                Store(output, gates + (3 * Units));
            }
            if (after is not null)
            {
                Store(Vector512.Load(state), after + (row * padded));
            }
        }
    }

    private static void Store(Vector512<float> value, ushort* target) => Avx512F.ConvertToVector256UInt16(TilePacking.Round(value)).Store(target);
}

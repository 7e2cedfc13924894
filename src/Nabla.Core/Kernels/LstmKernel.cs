using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>Sizes of one direction of one LSTM layer over a batch of sequences.</summary>
/// <param name="Batch">Sequences.</param>
/// <param name="Time">Steps.</param>
/// <param name="Inputs">Width of the input.</param>
/// <param name="Hidden">Width of the state, a multiple of 16.</param>
/// <param name="Lengths">Real steps of each sequence; null: all.</param>
/// <param name="IsReverse">Whether the sequence is read from its end.</param>
internal sealed record LstmShape(int Batch, int Time, int Inputs, int Hidden, int[]? Lengths, bool IsReverse)
{
    /// <summary>Columns of all gates.</summary>
    public int Gates => 4 * Hidden;

    /// <summary>Rows of a step in memory: whole tiles, because weight gradients sum over the rows of many steps.</summary>
    public int Rows => TileProduct.PadInner(Batch);

    /// <summary>Input columns in memory.</summary>
    public int PaddedInputs => TileProduct.PadInner(Inputs);

    /// <summary>State columns in memory.</summary>
    public int PaddedHidden => TileProduct.PadInner(Hidden);

    /// <summary>The step that is computed as number <paramref name="turn"/>.</summary>
    public int StepAt(int turn) => IsReverse ? Time - 1 - turn : turn;

    /// <summary>Whether a step belongs to a sequence.</summary>
    public bool IsReal(int sequence, int step) => Lengths is null || step < Lengths[sequence];
}

/// <summary>Addresses of what the forward pass keeps, in the order in which steps are computed.</summary>
/// <param name="Inputs">Inputs, bfloat16, <c>[time, rows, padded inputs]</c>.</param>
/// <param name="States">State before each step, bfloat16, <c>[time, rows, padded hidden]</c>.</param>
/// <param name="Gates">Gates after their functions, bfloat16, <c>[time, batch, 4 * hidden]</c>.</param>
/// <param name="Memories">Memory before the first and after each step, float32, <c>[time + 1, batch, hidden]</c>.</param>
internal readonly record struct LstmTape(nint Inputs, nint States, nint Gates, nint Memories);

/// <summary>
/// One direction of one LSTM layer (Hochreiter and Schmidhuber, 1997): products in bfloat16 on the processor's tiles, which hold the packed weights
/// in the second-level cache over all steps; gates, memory and sums in float32. A step past a sequence's end leaves its state alone.
/// </summary>
internal static unsafe class LstmKernel
{
    private const int ChunkRows = 2048; // rows of steps whose weight gradients are taken in one product; bounds the memory for them

    /// <summary>Forward.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="x">Input, <c>[batch, time, inputs]</c>, float32 or bfloat16.</param>
    /// <param name="xIsHalf">Whether the input is bfloat16.</param>
    /// <param name="inputWeight">float32, <c>[4 * hidden, inputs]</c>.</param>
    /// <param name="stateWeight">float32, <c>[4 * hidden, hidden]</c>.</param>
    /// <param name="bias">Sum of both biases, float32, <c>[4 * hidden]</c>.</param>
    /// <param name="hidden">Initial state, float32, <c>[batch, hidden]</c>.</param>
    /// <param name="tape">What is kept; the first memory is filled in, inputs and states are zeroed.</param>
    /// <param name="y">Takes the outputs, then the final state and the final memory, float32, <c>[batch, time + 2, hidden]</c>.</param>
    public static void Forward(LstmShape shape, nint x, bool xIsHalf, nint inputWeight, nint stateWeight, float[] bias, nint hidden, LstmTape tape, nint y)
    {
        var (batch, time, width, gates) = (shape.Batch, shape.Time, shape.Hidden, shape.Gates);
        using var inputPanels = new KernelBuffer((long)TileProduct.PackedSize(shape.Inputs, gates) * sizeof(ushort));
        using var statePanels = new KernelBuffer((long)TileProduct.PackedSize(width, gates) * sizeof(ushort));
        using var sums = new KernelBuffer((long)batch * gates * sizeof(float));
        using var states = new KernelBuffer((long)batch * width * sizeof(float));
        TilePacking.PanelsOfTranspose((float*)inputWeight, shape.Inputs, gates, shape.Inputs, (ushort*)inputPanels.Address);
        TilePacking.PanelsOfTranspose((float*)stateWeight, width, gates, width, (ushort*)statePanels.Address);
        var (sum, state) = ((nint)sums.Address, (nint)states.Address);
        Buffer.MemoryCopy((void*)hidden, (void*)state, (long)batch * width * sizeof(float), (long)batch * width * sizeof(float));
        for (var turn = 0; turn < time; turn++)
        {
            var step = shape.StepAt(turn);
            var inputs = (ushort*)tape.Inputs + ((long)turn * shape.Rows * shape.PaddedInputs);
            var before = (ushort*)tape.States + ((long)turn * shape.Rows * shape.PaddedHidden);
            for (var row = 0; row < batch; row++)
            {
                var place = (((long)row * time) + step) * shape.Inputs;
                if (xIsHalf)
                {
                    new ReadOnlySpan<ushort>((ushort*)x + place, shape.Inputs).CopyTo(new Span<ushort>(inputs + ((long)row * shape.PaddedInputs), shape.Inputs));
                }
                else
                {
                    TilePacking.Rows((float*)x + place, 1, shape.Inputs, 0, inputs + ((long)row * shape.PaddedInputs), shape.PaddedInputs);
                }
            }
            TilePacking.Rows((float*)state, batch, width, width, before, shape.PaddedHidden);
            TileProduct.Multiply(batch, gates, shape.PaddedInputs, inputs, shape.PaddedInputs, (ushort*)inputPanels.Address, (float*)sum, gates);
            TileProduct.Multiply(batch, gates, shape.PaddedHidden, before, shape.PaddedHidden, (ushort*)statePanels.Address, (float*)sum, gates, add: true);
            for (var row = 0; row < batch; row++)
            {
                var memory = (float*)tape.Memories + ((((long)turn * batch) + row) * width);
                var next = memory + ((long)batch * width);
                var output = (float*)y + ((((long)row * (time + 2)) + step) * width);
                var own = (float*)state + ((long)row * width);
                if (!shape.IsReal(row, step))
                {
                    new ReadOnlySpan<float>(memory, width).CopyTo(new Span<float>(next, width));
                    new Span<float>(output, width).Clear();
                    continue;
                }
                Cell((float*)sum + ((long)row * gates), bias, (ushort*)tape.Gates + ((((long)turn * batch) + row) * gates), memory, next, own, width);
                new ReadOnlySpan<float>(own, width).CopyTo(new Span<float>(output, width));
            }
        }
        TileProduct.Release();
        for (var row = 0; row < batch; row++)
        {
            var last = (float*)y + ((((long)row * (time + 2)) + time) * width);
            new ReadOnlySpan<float>((float*)state + ((long)row * width), width).CopyTo(new Span<float>(last, width));
            new ReadOnlySpan<float>((float*)tape.Memories + ((((long)time * batch) + row) * width), width).CopyTo(new Span<float>(last + width, width));
        }
    }

    /// <summary>Backward.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="inputWeight">float32, <c>[4 * hidden, inputs]</c>.</param>
    /// <param name="stateWeight">float32, <c>[4 * hidden, hidden]</c>.</param>
    /// <param name="tape">What the forward pass kept.</param>
    /// <param name="gradient">Gradient of the result, float32, <c>[batch, time + 2, hidden]</c>.</param>
    /// <param name="inputWeightGradient">Takes that of the input weight; zeroed.</param>
    /// <param name="stateWeightGradient">Takes that of the state weight; zeroed.</param>
    /// <param name="biasGradient">Takes that of either bias; zeroed.</param>
    /// <param name="xGradient">Takes that of the input, float32, <c>[batch, time, inputs]</c>; 0: none.</param>
    /// <param name="hiddenGradient">Takes that of the initial state, float32, <c>[batch, hidden]</c>.</param>
    /// <param name="memoryGradient">Takes that of the initial memory.</param>
    public static void Backward(
        LstmShape shape, nint inputWeight, nint stateWeight, LstmTape tape, nint gradient,
        nint inputWeightGradient, nint stateWeightGradient, nint biasGradient, nint xGradient, nint hiddenGradient, nint memoryGradient)
    {
        var (batch, time, width, gates) = (shape.Batch, shape.Time, shape.Hidden, shape.Gates);
        var (rows, paddedGates) = (shape.Rows, TileProduct.PadInner(shape.Gates));
        var chunkSteps = Math.Max(1, Math.Min(time, ChunkRows / rows));
        var chunk = chunkSteps * rows;
        using var inputPanels = new KernelBuffer((long)TileProduct.PackedSize(gates, shape.Inputs) * sizeof(ushort));
        using var statePanels = new KernelBuffer((long)TileProduct.PackedSize(gates, width) * sizeof(ushort));
        using var slopes = new KernelBuffer((long)batch * gates * sizeof(float));
        using var halfSlopes = new KernelBuffer((long)batch * paddedGates * sizeof(ushort));
        using var transposed = new KernelBuffer((long)gates * chunk * sizeof(ushort));
        using var packed = new KernelBuffer((long)TileProduct.PackedSize(chunk, Math.Max(shape.Inputs, width)) * sizeof(ushort));
        using var passed = new KernelBuffer((long)batch * width * sizeof(float));
        TilePacking.Panels((float*)stateWeight, gates, width, width, (ushort*)statePanels.Address);
        if (xGradient != 0)
        {
            TilePacking.Panels((float*)inputWeight, gates, shape.Inputs, shape.Inputs, (ushort*)inputPanels.Address);
        }
        var (slope, half, before) = ((nint)slopes.Address, (nint)halfSlopes.Address, (nint)passed.Address);
        for (var row = 0; row < batch; row++)
        {
            var last = (float*)gradient + ((((long)row * (time + 2)) + time) * width);
            new ReadOnlySpan<float>(last, width).CopyTo(new Span<float>((float*)hiddenGradient + ((long)row * width), width));
            new ReadOnlySpan<float>(last + width, width).CopyTo(new Span<float>((float*)memoryGradient + ((long)row * width), width));
        }
        var end = time;
        for (var turn = time - 1; turn >= 0; turn--)
        {
            var step = shape.StepAt(turn);
            for (var row = 0; row < batch; row++)
            {
                var own = (float*)slope + ((long)row * gates);
                if (!shape.IsReal(row, step))
                {
                    new Span<float>(own, gates).Clear();
                    continue;
                }
                var memory = (float*)tape.Memories + ((((long)turn * batch) + row) * width);
                CellBackward((ushort*)tape.Gates + ((((long)turn * batch) + row) * gates), memory, memory + ((long)batch * width),
                    (float*)gradient + ((((long)row * (time + 2)) + step) * width), (float*)hiddenGradient + ((long)row * width), (float*)memoryGradient + ((long)row * width),
                    own, (float*)biasGradient, width);
            }
            TilePacking.Rows((float*)slope, batch, gates, gates, (ushort*)half, paddedGates);
            TileProduct.Multiply(batch, width, paddedGates, (ushort*)half, paddedGates, (ushort*)statePanels.Address, (float*)before, width);
            for (var row = 0; row < batch; row++)
            {
                if (shape.IsReal(row, step)) // else the state's gradient passes through unchanged
                {
                    new ReadOnlySpan<float>((float*)before + ((long)row * width), width).CopyTo(new Span<float>((float*)hiddenGradient + ((long)row * width), width));
                }
            }
            if (xGradient != 0)
            {
                TileProduct.Multiply(batch, shape.Inputs, paddedGates, (ushort*)half, paddedGates, (ushort*)inputPanels.Address, (float*)xGradient + ((long)step * shape.Inputs), time * shape.Inputs);
            }
            var start = end - chunkSteps < 0 ? 0 : end - chunkSteps;
            var inner = (end - start) * rows;
            TilePacking.RowsOfTranspose((float*)slope, batch, gates, gates, (ushort*)transposed.Address + ((turn - start) * rows), inner);
            if (turn == start)
            {
                var panels = (ushort*)packed.Address;
                TilePacking.Panels((ushort*)tape.Inputs + ((long)start * rows * shape.PaddedInputs), inner, shape.Inputs, shape.PaddedInputs, panels);
                TileProduct.Multiply(gates, shape.Inputs, inner, (ushort*)transposed.Address, inner, panels, (float*)inputWeightGradient, shape.Inputs, add: true);
                TilePacking.Panels((ushort*)tape.States + ((long)start * rows * shape.PaddedHidden), inner, width, shape.PaddedHidden, panels);
                TileProduct.Multiply(gates, width, inner, (ushort*)transposed.Address, inner, panels, (float*)stateWeightGradient, width, add: true);
                end = start;
            }
        }
        TileProduct.Release();
    }

    /// <summary><c>c' = f c + i g</c>, <c>h = o tanh(c')</c>; gates are stored after their functions.</summary>
    private static void Cell(float* sums, float[] bias, ushort* gates, float* memory, float* next, float* state, int width)
    {
        fixed (float* b = bias)
        {
            for (var j = 0; j < width; j += Vector512<float>.Count)
            {
                var input = GateFunctions.Sigmoid(Vector512.Load(sums + j) + Vector512.Load(b + j));
                var forget = GateFunctions.Sigmoid(Vector512.Load(sums + width + j) + Vector512.Load(b + width + j));
                var candidate = GateFunctions.Tanh(Vector512.Load(sums + (2 * width) + j) + Vector512.Load(b + (2 * width) + j));
                var output = GateFunctions.Sigmoid(Vector512.Load(sums + (3 * width) + j) + Vector512.Load(b + (3 * width) + j));
                var cell = (forget * Vector512.Load(memory + j)) + (input * candidate);
                cell.Store(next + j);
                (output * GateFunctions.Tanh(cell)).Store(state + j);
                Store(input, gates + j);
                Store(forget, gates + width + j);
                Store(candidate, gates + (2 * width) + j);
                Store(output, gates + (3 * width) + j);
            }
        }
    }

    private static void CellBackward(ushort* gates, float* memory, float* next, float* outputGradient, float* stateGradient, float* memoryGradient, float* slopes, float* biasGradient, int width)
    {
        for (var j = 0; j < width; j += Vector512<float>.Count)
        {
            var (input, forget) = (Load(gates + j), Load(gates + width + j));
            var (candidate, output) = (Load(gates + (2 * width) + j), Load(gates + (3 * width) + j));
            var tanh = GateFunctions.Tanh(Vector512.Load(next + j));
            var state = Vector512.Load(stateGradient + j) + Vector512.Load(outputGradient + j);
            var cell = Vector512.Load(memoryGradient + j) + (state * output * (Vector512<float>.One - (tanh * tanh)));
            (cell * forget).Store(memoryGradient + j);
            Emit(cell * candidate * input * (Vector512<float>.One - input), slopes + j, biasGradient + j);
            Emit(cell * Vector512.Load(memory + j) * forget * (Vector512<float>.One - forget), slopes + width + j, biasGradient + width + j);
            Emit(cell * input * (Vector512<float>.One - (candidate * candidate)), slopes + (2 * width) + j, biasGradient + (2 * width) + j);
            Emit(state * tanh * output * (Vector512<float>.One - output), slopes + (3 * width) + j, biasGradient + (3 * width) + j);
        }
    }

    private static void Emit(Vector512<float> slope, float* target, float* total)
    {
        slope.Store(target);
        (Vector512.Load(total) + slope).Store(total);
    }

    /// <summary>bfloat16 as float32.</summary>
    private static Vector512<float> Load(ushort* source) => (Avx512F.ConvertToVector512UInt32(Vector256.Load(source)) << 16).AsSingle();

    private static void Store(Vector512<float> value, ushort* target) => Avx512F.ConvertToVector256UInt16(TilePacking.Round(value)).Store(target);
}

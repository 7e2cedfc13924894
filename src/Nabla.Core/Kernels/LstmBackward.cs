using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Nabla.Core.Kernels;

/// <summary>Where the gradients of an LSTM layer go, all float32.</summary>
/// <param name="X">That of the input, <c>[batch, time, inputs]</c>; 0: none.</param>
/// <param name="InputWeight">That of the input weight.</param>
/// <param name="StateWeight">That of the state weight.</param>
/// <param name="Bias">That of either bias.</param>
/// <param name="Hidden">That of the initial state, <c>[batch, hidden]</c>.</param>
/// <param name="Memory">That of the initial memory.</param>
internal readonly record struct LstmGradients(nint X, nint InputWeight, nint StateWeight, nint Bias, nint Hidden, nint Memory);

/// <summary>
/// The backward pass of <see cref="LstmForward"/>, some steps at a time: chunks of sequences are shared among threads for the way back through
/// those steps, then rows of the weight gradients, whose products sum over the chunks one after the other. All sums have an order that depends on
/// the sizes only.
/// </summary>
internal static unsafe class LstmBackward
{
    private const int BlockRows = 512; // rows of a chunk's steps that go into one product of weight gradients
    private const int GateRows = 128; // rows of weight gradients that a thread takes at a time
    private const int Spread = 32; // entries between rows beyond a power of two, which would fall into the same lines of the first-level cache

    /// <summary>Runs the layer backward.</summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="inputWeight">float32, <c>[4 * hidden, inputs]</c>.</param>
    /// <param name="stateWeight">float32, <c>[4 * hidden, hidden]</c>.</param>
    /// <param name="tape">What the forward pass kept.</param>
    /// <param name="gradient">Gradient of the result, float32, <c>[batch, time + 2, hidden]</c>.</param>
    /// <param name="results">Takes all gradients.</param>
    public static void Run(LstmShape shape, nint inputWeight, nint stateWeight, LstmTape tape, nint gradient, LstmGradients results)
    {
        var (time, rows, width, gates) = (shape.Time, shape.ChunkRows, shape.Hidden, shape.Gates);
        var steps = Math.Max(1, Math.Min(time, BlockRows / rows));
        var inner = TileProduct.PadInner(steps * rows);
        using var inputPanels = new KernelBuffer((long)TileProduct.PackedSize(gates, shape.Inputs) * sizeof(ushort));
        using var statePanels = new KernelBuffer((long)TileProduct.PackedSize(gates, width) * sizeof(ushort));
        using var slopes = new KernelBuffer((long)shape.Chunks * inner * (gates + Spread) * sizeof(ushort));
        using var packedInputs = new KernelBuffer((long)shape.Chunks * TileProduct.PackedSize(inner, shape.Inputs) * sizeof(ushort));
        using var packedStates = new KernelBuffer((long)shape.Chunks * TileProduct.PackedSize(inner, width) * sizeof(ushort));
        using var biases = new KernelBuffer((long)shape.Chunks * gates * sizeof(float));
        var pass = new Pass(shape, tape, gradient, results, inner, (nint)inputPanels.Address, (nint)statePanels.Address,
            (nint)slopes.Address, (nint)packedInputs.Address, (nint)packedStates.Address, (nint)biases.Address);
        PackWeights((float*)stateWeight, gates, width, (ushort*)statePanels.Address);
        if (results.X != 0)
        {
            PackWeights((float*)inputWeight, gates, shape.Inputs, (ushort*)inputPanels.Address);
        }
        for (var end = time; end > 0; end -= steps)
        {
            var (start, behind) = (Math.Max(0, end - steps), end);
            KernelTeam.Run(shape.Chunks, chunk => RunChunk(pass, chunk, start, behind));
            KernelTeam.Run((gates + GateRows - 1) / GateRows, block => AddWeights(pass, block * GateRows, start, behind));
        }
        var bias = new Span<float>((float*)results.Bias, gates);
        bias.Clear();
        for (var chunk = 0; chunk < shape.Chunks; chunk++)
        {
            VectorRow.Accumulate(TensorMemory.Row<float>((nint)biases.Address, (long)chunk * gates, gates), bias);
        }
    }

    private static void PackWeights(float* weight, int inner, int columns, ushort* panels)
    {
        var (from, to) = ((nint)weight, (nint)panels);
        KernelTeam.Run((columns + TileProduct.PanelWidth - 1) / TileProduct.PanelWidth, panel =>
        {
            var column = panel * TileProduct.PanelWidth;
            TilePacking.Panels((float*)from + column, inner, Math.Min(TileProduct.PanelWidth, columns - column), columns, (ushort*)to + TileProduct.PanelOffset(inner, column));
        });
    }

    /// <summary>The way back of a chunk through some steps.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void RunChunk(Pass pass, int chunk, int start, int end)
    {
        var shape = pass.Shape;
        var (first, count, rows) = (shape.First(chunk), shape.Count(chunk), shape.ChunkRows);
        var (time, width, gates, stride) = (shape.Time, shape.Hidden, shape.Gates, shape.Gates + Spread);
        var slopes = pass.SlopesOf(chunk);
        var bias = (float*)pass.Biases + ((long)chunk * gates);
        var hidden = (float*)pass.Results.Hidden + ((long)first * width);
        var memory = (float*)pass.Results.Memory + ((long)first * width);
        if (end == time)
        {
            new Span<float>(bias, gates).Clear();
            for (var row = 0; row < count; row++)
            {
                var last = (float*)pass.Gradient + ((((long)(first + row) * (time + 2)) + time) * width);
                new ReadOnlySpan<float>(last, width).CopyTo(new Span<float>(hidden + ((long)row * width), width));
                new ReadOnlySpan<float>(last + width, width).CopyTo(new Span<float>(memory + ((long)row * width), width));
            }
        }
        for (var turn = end - 1; turn >= start; turn--)
        {
            var step = shape.StepAt(turn);
            var slope = slopes + ((long)(turn - start) * rows * stride);
            for (var group = 0; group < shape.Groups; group++)
            {
                Cells(pass, chunk, turn, step, group, slope, bias, hidden, memory);
            }
            for (var row = count; row < rows; row++)
            {
                new Span<ushort>(slope + ((long)row * stride), gates).Clear();
            }
            // Past a sequence's end its slopes are 0 and the state's gradient passes through: it is what the product is added to.
            TileProduct.Multiply(count, width, gates, slope, stride, (ushort*)pass.StatePanels, hidden, width, add: shape.Lengths is not null);
        }
        var used = (end - start) * rows;
        for (var row = used; row < TileProduct.PadInner(used); row++)
        {
            new Span<ushort>(slopes + ((long)row * stride), gates).Clear();
        }
        if (pass.Results.X != 0)
        {
            PassOn(pass, chunk, start, end);
        }
        TileProduct.Release();
        TilePacking.Panels((ushort*)pass.Tape.Inputs + ((((long)chunk * time) + start) * rows * shape.PaddedInputs), used, shape.Inputs, shape.PaddedInputs, pass.InputsOf(chunk));
        TilePacking.Panels((ushort*)pass.Tape.States + ((((long)chunk * time) + start) * rows * shape.PaddedHidden), used, width, shape.PaddedHidden, pass.StatesOf(chunk));
    }

    /// <summary>Gradients of the input.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void PassOn(Pass pass, int chunk, int start, int end)
    {
        var shape = pass.Shape;
        var (first, count, rows, inputs) = (shape.First(chunk), shape.Count(chunk), shape.ChunkRows, shape.Inputs);
        var many = (end - start) * rows;
        using var results = new KernelBuffer((long)many * TileProduct.PanelWidth * sizeof(float));
        var result = (float*)results.Address;
        for (var column = 0; column < inputs; column += TileProduct.PanelWidth)
        {
            var columns = Math.Min(TileProduct.PanelWidth, inputs - column);
            TileProduct.MultiplyPanel(many, columns, shape.Gates, pass.SlopesOf(chunk), shape.Gates + Spread, (ushort*)pass.InputPanels + TileProduct.PanelOffset(shape.Gates, column), result, TileProduct.PanelWidth);
            for (var turn = start; turn < end; turn++)
            {
                for (var row = 0; row < count; row++)
                {
                    var from = result + ((((turn - start) * rows) + row) * TileProduct.PanelWidth);
                    var to = (float*)pass.Results.X + ((((long)(first + row) * shape.Time) + shape.StepAt(turn)) * inputs) + column;
                    new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(to, columns));
                }
            }
        }
    }

    /// <summary>Some rows of both weights' gradients over some steps of all chunks.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void AddWeights(Pass pass, int gate, int start, int end)
    {
        var shape = pass.Shape;
        var (count, used, stride) = (Math.Min(GateRows, shape.Gates - gate), (end - start) * shape.ChunkRows, pass.Inner + Spread);
        var inner = TileProduct.PadInner(used);
        using var transposed = new KernelBuffer((long)GateRows * stride * sizeof(ushort));
        var slopes = (ushort*)transposed.Address;
        for (var chunk = 0; chunk < shape.Chunks; chunk++)
        {
            var add = end < shape.Time || chunk > 0;
            TilePacking.RowsOfTranspose(pass.SlopesOf(chunk) + gate, used, count, shape.Gates + Spread, slopes, stride);
            TileProduct.Multiply(count, shape.Inputs, inner, slopes, stride, pass.InputsOf(chunk), (float*)pass.Results.InputWeight + ((long)gate * shape.Inputs), shape.Inputs, add);
            TileProduct.Multiply(count, shape.Hidden, inner, slopes, stride, pass.StatesOf(chunk), (float*)pass.Results.StateWeight + ((long)gate * shape.Hidden), shape.Hidden, add);
        }
        TileProduct.Release();
    }

    /// <summary>Slopes of the sums of a group of units in all rows of a step, from the gradients of state and memory behind it.</summary>
    [MethodImpl(Compiled.AtOnce)]
    private static void Cells(Pass pass, int chunk, int turn, int step, int group, ushort* slopes, float* bias, float* hidden, float* memoryGradient)
    {
        const int Units = LstmShape.Units;
        var shape = pass.Shape;
        var (first, count, rows, width, lengths) = (shape.First(chunk), shape.Count(chunk), shape.ChunkRows, shape.Hidden, shape.Lengths);
        var gates = (ushort*)pass.Tape.Gates + (((((long)chunk * shape.Time) + turn) * shape.Groups) + group) * rows * 4 * Units;
        var memory = (float*)pass.Tape.Memories + (((((long)chunk * (shape.Time + 1)) + turn) * shape.Groups) + group) * rows * Units;
        var next = memory + ((long)shape.Groups * rows * Units);
        var (unit, stride, outputStride) = (group * Units, shape.Gates + Spread, (shape.Time + 2L) * width);
        var gradient = (float*)pass.Gradient + (first * outputStride) + ((long)step * width) + unit;
        slopes += unit;
        bias += unit;
        hidden += unit;
        memoryGradient += unit;
        var (inputSum, forgetSum) = (Vector512.Load(bias), Vector512.Load(bias + width));
        var (candidateSum, outputSum) = (Vector512.Load(bias + (2 * width)), Vector512.Load(bias + (3 * width)));
        for (var row = 0; row < count; row++, gates += 4 * Units, memory += Units, next += Units, slopes += stride, gradient += outputStride, hidden += width, memoryGradient += width)
        {
            if (lengths is not null && step >= lengths[first + row])
            {
                for (var gate = 0; gate < 4; gate++)
                {
                    Vector256<ushort>.Zero.Store(slopes + (gate * width));
                }
                continue;
            }
            var (input, forget) = (Load(gates), Load(gates + Units));
            var (candidate, output) = (Load(gates + (2 * Units)), Load(gates + (3 * Units)));
            var tanh = GateFunctions.Tanh(Vector512.Load(next));
            var state = Vector512.Load(hidden) + Vector512.Load(gradient);
            var cell = Vector512.Load(memoryGradient) + (state * output * (Vector512<float>.One - (tanh * tanh)));
            (cell * forget).Store(memoryGradient);
            if (lengths is not null)
            {
                Vector512<float>.Zero.Store(hidden);
            }
            var inputSlope = cell * candidate * input * (Vector512<float>.One - input);
            var forgetSlope = cell * Vector512.Load(memory) * forget * (Vector512<float>.One - forget);
            var candidateSlope = cell * input * (Vector512<float>.One - (candidate * candidate));
            var outputSlope = state * tanh * output * (Vector512<float>.One - output);
            (inputSum, forgetSum, candidateSum, outputSum) = (inputSum + inputSlope, forgetSum + forgetSlope, candidateSum + candidateSlope, outputSum + outputSlope);
            Store(inputSlope, slopes);
            Store(forgetSlope, slopes + width);
            Store(candidateSlope, slopes + (2 * width));
            Store(outputSlope, slopes + (3 * width));
        }
        inputSum.Store(bias);
        forgetSum.Store(bias + width);
        candidateSum.Store(bias + (2 * width));
        outputSum.Store(bias + (3 * width));
    }

    /// <summary>bfloat16 as float32.</summary>
    private static Vector512<float> Load(ushort* source) => (Avx512F.ConvertToVector512UInt32(Vector256.Load(source)) << 16).AsSingle();

    private static void Store(Vector512<float> value, ushort* target) => Avx512F.ConvertToVector256UInt16(TilePacking.Round(value)).Store(target);

    /// <summary>What all parts of a backward pass know. Slopes and packed tape are those of the steps at hand.</summary>
    private sealed record Pass(
        LstmShape Shape, LstmTape Tape, nint Gradient, LstmGradients Results, int Inner, nint InputPanels, nint StatePanels,
        nint Slopes, nint PackedInputs, nint PackedStates, nint Biases)
    {
        /// <summary>Slopes of a chunk, bfloat16, <c>[inner, gates + spread]</c>.</summary>
        public ushort* SlopesOf(int chunk) => (ushort*)Slopes + ((long)chunk * Inner * (Shape.Gates + Spread));

        /// <summary>Inputs of a chunk in panels.</summary>
        public ushort* InputsOf(int chunk) => (ushort*)PackedInputs + ((long)chunk * TileProduct.PackedSize(Inner, Shape.Inputs));

        /// <summary>States of a chunk in panels.</summary>
        public ushort* StatesOf(int chunk) => (ushort*)PackedStates + ((long)chunk * TileProduct.PackedSize(Inner, Shape.Hidden));
    }
}

namespace Nabla.Core.Kernels;

/// <summary>
/// A layer of <see cref="PerceptronKernel"/> and where its parts lie in the buffers that all layers share. Places are entries; those named
/// End are where the next layer's begin.
/// </summary>
internal sealed record PerceptronLayer
{
    private const int Line = 32; // 16-bit entries of a cache line
    private const int BlockOutputs = 32; // two tiles

    /// <summary>Its number, from 0.</summary>
    public required int Number { get; init; }

    /// <summary>Width of its input.</summary>
    public required int Inputs { get; init; }

    /// <summary>Width of its output.</summary>
    public required int Outputs { get; init; }

    /// <summary><see cref="Inputs"/> filled up to whole tiles.</summary>
    public required int PaddedInputs { get; init; }

    /// <summary><see cref="Outputs"/> filled up to whole tiles.</summary>
    public required int PaddedOutputs { get; init; }

    /// <summary>Its input on the tape.</summary>
    public required long Tape { get; init; }

    /// <inheritdoc cref="Tape"/>
    public long TapeEnd(int batch) => Tape + ((long)batch * PaddedInputs);

    /// <summary>Its weight, packed for the forward pass.</summary>
    public required long Forward { get; init; }

    /// <inheritdoc cref="Forward"/>
    public long ForwardEnd => Forward + Whole(TileProduct.PackedSize(Inputs, Outputs));

    /// <summary>Its weight, packed for the backward pass.</summary>
    public required long Backward { get; init; }

    /// <inheritdoc cref="Backward"/>
    public long BackwardEnd => Backward + Whole(TileProduct.PackedSize(Outputs, Inputs));

    /// <summary>Its input, packed for the gradient of the weight.</summary>
    public required long TapePanels { get; init; }

    /// <inheritdoc cref="TapePanels"/>
    public required long TapePanelsEnd { get; init; }

    /// <summary>The gradient of its output, transposed.</summary>
    public required long Slopes { get; init; }

    /// <inheritdoc cref="Slopes"/>
    public required long SlopesEnd { get; init; }

    /// <summary>Its outputs among those of all layers.</summary>
    public required int Biases { get; init; }

    /// <inheritdoc cref="Biases"/>
    public int BiasesEnd => Biases + Outputs;

    /// <summary>First block of its outputs among those of all layers.</summary>
    public required int OutputBlocks { get; init; }

    /// <inheritdoc cref="OutputBlocks"/>
    public int OutputBlocksEnd => OutputBlocks + ((Outputs + BlockOutputs - 1) / BlockOutputs);

    /// <summary>The layers of a chain.</summary>
    /// <param name="batch">Rows.</param>
    /// <param name="widths">Width of the input and of each layer's output.</param>
    public static PerceptronLayer[] Of(int batch, ReadOnlySpan<int> widths)
    {
        var (layers, paddedBatch) = (new PerceptronLayer[widths.Length - 1], (long)TileProduct.PadInner(batch));
        for (var number = 0; number < layers.Length; number++)
        {
            var (inputs, outputs, last) = (widths[number], widths[number + 1], number == 0 ? null : layers[number - 1]);
            layers[number] = new()
            {
                Number = number,
                Inputs = inputs,
                Outputs = outputs,
                PaddedInputs = TileProduct.PadInner(inputs),
                PaddedOutputs = TileProduct.PadInner(outputs),
                Tape = last?.TapeEnd(batch) ?? 0,
                Forward = last?.ForwardEnd ?? 0,
                Backward = last?.BackwardEnd ?? 0,
                TapePanels = last?.TapePanelsEnd ?? 0,
                TapePanelsEnd = (last?.TapePanelsEnd ?? 0) + Whole(TileProduct.PackedSize(batch, inputs)),
                Slopes = last?.SlopesEnd ?? 0,
                SlopesEnd = (last?.SlopesEnd ?? 0) + Whole(outputs * paddedBatch),
                Biases = last?.BiasesEnd ?? 0,
                OutputBlocks = last?.OutputBlocksEnd ?? 0,
            };
        }
        return layers;
    }

    /// <summary>The layer that a block of outputs belongs to, its first output and how many there are.</summary>
    public static (PerceptronLayer Layer, int First, int Count) OfBlock(PerceptronLayer[] layers, int block)
    {
        var layer = Array.Find(layers, layer => block < layer.OutputBlocksEnd)!;
        var first = (block - layer.OutputBlocks) * BlockOutputs;
        return (layer, first, Math.Min(BlockOutputs, layer.Outputs - first));
    }

    /// <summary>Weights in each block of outputs of all layers.</summary>
    public static int[] BlockSizes(PerceptronLayer[] layers)
    {
        var sizes = new int[layers[^1].OutputBlocksEnd];
        for (var block = 0; block < sizes.Length; block++)
        {
            var (layer, _, count) = OfBlock(layers, block);
            sizes[block] = count * layer.Inputs;
        }
        return sizes;
    }

    private static long Whole(long entries) => (entries + Line - 1) / Line * Line;
}

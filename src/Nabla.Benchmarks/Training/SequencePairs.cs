namespace Nabla.Benchmarks;

/// <summary>A batch of pairs of token sequences of several lengths, drawn from a seed; id 0 is padding. Owns its tensors.</summary>
/// <param name="Source">What the encoder reads, <c>[batch, time]</c> (int64).</param>
/// <param name="Input">What the decoder reads, <c>[batch, time]</c> (int64).</param>
/// <param name="Target">What it shall say, <c>[batch, time]</c> (int64), -100 behind the end.</param>
internal sealed record SequencePairs(Tensor Source, Tensor Input, Tensor Target) : IDisposable
{
    private const ulong Seed = 21;

    /// <summary>Draws a batch whose lengths lie evenly from <paramref name="shortest"/> to <paramref name="longest"/>.</summary>
    public static SequencePairs Draw(int batch, int shortest, int longest, int vocabulary)
    {
        using var scope = NewDisposeScope();
        var device = WorkloadDevice.Current;
        using var generator = new Generator(Seed);
        var places = arange(Number.Of(longest), ScalarType.Int64).unsqueeze(0);                                            // [1, time]
        Tensor Lengths() => randint(shortest, longest + 1, [batch], dtype: ScalarType.Int64, generator: generator)
            .index_put_(tensor((long)longest), TensorIndex.Tensor(zeros([1], ScalarType.Int64)));                // one of full length fixes the size
        Tensor Ids() => randint(1, vocabulary, [batch, longest], dtype: ScalarType.Int64, generator: generator); // [batch, time]
        var (sourceLengths, inputLengths) = (Lengths(), Lengths());
        var (isSource, isInput) = (places.lt(sourceLengths.unsqueeze(1)), places.lt(inputLengths.unsqueeze(1)));
        var (source, target) = (Ids(), Ids());
        return new(
            (source * isSource.to(ScalarType.Int64)).to(device).MoveToOuterDisposeScope(),
            (target.roll(1, 1) * isInput.to(ScalarType.Int64)).to(device).MoveToOuterDisposeScope(),
            target.masked_fill(isInput.logical_not(), Number.Of(-100)).to(device).MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
        Source.Dispose();
        Input.Dispose();
        Target.Dispose();
    }
}

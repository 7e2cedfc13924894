namespace Nabla.Data;

/// <summary>Examples that can be read by number. <see cref="Read"/> is called from the loader's background threads, from several at once when <see cref="LoaderOptions.Workers"/> says so.</summary>
public interface IBatchSource
{
    /// <summary>Number of examples.</summary>
    long Count { get; }

    /// <summary>The examples with these numbers, in this order, as one batch that the caller owns.</summary>
    /// <param name="indices">Numbers in [0, <see cref="Count"/>), repeats allowed.</param>
    Batch Read(ReadOnlySpan<long> indices);

    /// <summary>Length of an example (its number of tokens), used to group batches of like lengths; 1 when that has no meaning.</summary>
    /// <param name="index">Number of the example.</param>
    int LengthOf(long index) => 1;

    /// <summary>Class of an example, used for balanced sampling and stratified splits; null when it has none.</summary>
    /// <param name="index">Number of the example.</param>
    long? ClassOf(long index) => null;
}

namespace Nabla.Data;

/// <summary>Chosen examples of another source, such as one split of a data set. Does not own the other source.</summary>
public sealed class SubsetSource : IBatchSource
{
    private readonly IBatchSource _source;
    private readonly long[] _indices;

    /// <summary>Creates the subset.</summary>
    /// <param name="source">Where the examples are; the caller keeps owning it.</param>
    /// <param name="indices">Numbers of the chosen examples in <paramref name="source"/>, in the subset's order; repeats allowed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not in the source.</exception>
    public SubsetSource(IBatchSource source, ReadOnlySpan<long> indices)
    {
        ArgumentNullException.ThrowIfNull(source);
        IndexCheck.Within(nameof(SubsetSource), indices, source.Count);
        (_source, _indices) = (source, indices.ToArray());
    }

    /// <inheritdoc/>
    public long Count => _indices.Length;

    /// <summary>Numbers of the chosen examples in the underlying source.</summary>
    public ReadOnlySpan<long> Indices => _indices;

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within(nameof(SubsetSource), indices, Count);
        var mapped = new long[indices.Length];
        for (var i = 0; i < mapped.Length; i++)
        {
            mapped[i] = _indices[indices[i]];
        }
        return _source.Read(mapped);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => _source.LengthOf(_indices[index]);

    /// <inheritdoc/>
    public long? ClassOf(long index) => _source.ClassOf(_indices[index]);
}

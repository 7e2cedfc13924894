namespace Nabla.Data;

/// <summary>A list of the user's own records, turned into batches by the user's own function.</summary>
/// <typeparam name="T">Type of a record.</typeparam>
/// <param name="records">The records; read from the loader's background thread.</param>
/// <param name="collate">Makes a batch of some records; called from the loader's background thread.</param>
/// <param name="lengthOf">Length of a record, used by length bucketing; null when it has no meaning.</param>
/// <param name="classOf">Class of a record, used by balanced sampling; null when it has none.</param>
public sealed class RecordSource<T>(IReadOnlyList<T> records, Func<IReadOnlyList<T>, Batch> collate,
    Func<T, int>? lengthOf = null, Func<T, long?>? classOf = null) : IBatchSource
{
    /// <inheritdoc/>
    public long Count => records.Count;

    /// <inheritdoc/>
    public Batch Read(ReadOnlySpan<long> indices)
    {
        IndexCheck.Within($"RecordSource<{typeof(T).Name}>", indices, Count);
        var chosen = new T[indices.Length];
        for (var i = 0; i < chosen.Length; i++)
        {
            chosen[i] = records[(int)indices[i]];
        }
        return collate(chosen);
    }

    /// <inheritdoc/>
    public int LengthOf(long index) => lengthOf?.Invoke(records[(int)index]) ?? 1;

    /// <inheritdoc/>
    public long? ClassOf(long index) => classOf?.Invoke(records[(int)index]);
}

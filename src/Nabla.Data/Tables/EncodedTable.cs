namespace Nabla.Data;

/// <summary>A table as arrays for a model, row by row (row-major).</summary>
public sealed record EncodedTable
{
    /// <summary>Number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Numbers, <c>[rows, features]</c>.</summary>
    public required float[] Numbers { get; init; }

    /// <summary>Number of number features.</summary>
    public required int Features { get; init; }

    /// <summary>Category ids, <c>[rows, columns]</c>; 0 is unknown or missing.</summary>
    public required long[] Categories { get; init; }

    /// <summary>Number of category columns.</summary>
    public required int CategoryColumns { get; init; }

    /// <summary>Class ids, <c>[rows]</c>, or null for regression and for tables without a target.</summary>
    public long[]? Classes { get; init; }

    /// <summary>Scaled target values, <c>[rows]</c>, or null for classification and for tables without a target.</summary>
    public float[]? Values { get; init; }

    /// <summary>
    /// The arrays as tensors under the names of <see cref="Batch"/>: <c>inputs</c> <c>[rows, features]</c> (float32), <c>categories</c>
    /// <c>[rows, columns]</c> (int64) when there are any, and <c>targets</c> <c>[rows]</c> when there are. The caller owns them.
    /// </summary>
    public Dictionary<string, Tensor> ToFields()
    {
        var fields = new Dictionary<string, Tensor>(StringComparer.Ordinal) { [Batch.Inputs] = tensor(Numbers, [Rows, Features]) };
        if (CategoryColumns > 0)
        {
            fields[Batch.Categories] = tensor(Categories, [Rows, CategoryColumns]);
        }
        if (Classes is not null)
        {
            fields[Batch.Targets] = tensor(Classes, [Rows]);
        }
        else if (Values is not null)
        {
            fields[Batch.Targets] = tensor(Values, [Rows]);
        }
        return fields;
    }
}

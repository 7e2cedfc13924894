namespace Nabla.Data;

/// <summary>How one category column becomes ids: 0 is unknown or missing, then the known categories from 1 in ordinal order.</summary>
internal sealed record CategoryEncoding
{
    private Dictionary<string, long>? _ids;

    public required string Column { get; init; }

    /// <summary>The known categories; id of the first is 1.</summary>
    public required string[] Categories { get; init; }

    public static CategoryEncoding Fit(CategoryColumn column, TableEncoderOptions options) => new()
    {
        Column = column.Name,
        Categories = [.. column.Values.OfType<string>().CountBy(value => value, StringComparer.Ordinal)
            .Where(count => count.Value >= options.MinCategoryCount).Select(count => count.Key).Order(StringComparer.Ordinal)],
    };

    public long Encode(string? value)
    {
        _ids ??= Categories.Index().ToDictionary(category => category.Item, category => category.Index + 1L, StringComparer.Ordinal);
        return value is null ? 0 : _ids.GetValueOrDefault(value);
    }
}

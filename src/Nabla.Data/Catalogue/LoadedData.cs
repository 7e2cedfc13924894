using Nabla.Core;

namespace Nabla.Data;

/// <summary>Raw data in memory, divided into splits, not yet encoded for a model. The holder disposes it.</summary>
public abstract record LoadedData : IDisposable
{
    /// <summary>Name of the set, or of the user's file.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, one of <see cref="DataTask"/>.</summary>
    public required string Task { get; init; }

    /// <summary>Hash of the files' content, as <see cref="CatalogueEntry.ContentHash"/>.</summary>
    public required string ContentHash { get; init; }

    /// <summary>Number of examples (rows, pictures, texts, lines; characters of a running text) by split.</summary>
    public abstract IReadOnlyDictionary<string, long> Counts { get; }

    /// <summary>
    /// This data with validation and test rows held out of its training rows. A share of null keeps the publisher's split, 0 leaves
    /// the split out. The result takes over what this holds; use only the result afterwards.
    /// </summary>
    /// <param name="options">What is held out and how it is chosen.</param>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    /// <exception cref="DataException">A part would be empty, a share is asked for a split that the publisher fixed, or the strategy does not fit the data.</exception>
    public abstract LoadedData HoldOut(SplitOptions options);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees tensors.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    private protected static IReadOnlyDictionary<string, long> CountsOf(long train, long? validation, long? test)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal) { ["train"] = train };
        if (validation is { } held)
        {
            counts["validation"] = held;
        }
        if (test is { } tested)
        {
            counts["test"] = tested;
        }
        return counts;
    }

    /// <summary>The split that options ask for, or null when nothing is to be held out.</summary>
    private protected DataSplit? Split(SplitOptions options, long count, bool hasValidation, bool hasTest, Func<IReadOnlyList<string>>? classes, Func<string, TableColumn>? column = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        RequireFree("validation", options.Validation, hasValidation);
        RequireFree("test", options.Test, hasTest);
        var (validation, test) = (options.Validation ?? 0, options.Test ?? 0);
        if (count == 0)
        {
            throw new DataException($"{Name}: expected training examples, got none. Is the file empty?");
        }
        if (validation == 0 && test == 0)
        {
            return null;
        }
        try
        {
            return Choose(options, count, classes, column);
        }
        catch (DataException cause) when (!cause.Message.Contains(Name, StringComparison.Ordinal))
        {
            throw new DataException($"{Name}: {cause.Message}", cause);
        }
    }

    private DataSplit Choose(SplitOptions options, long count, Func<IReadOnlyList<string>>? classes, Func<string, TableColumn>? column)
    {
        var (validation, test) = (options.Validation ?? 0, options.Test ?? 0);
        return (options.Strategy, options.Column) switch
        {
            ("random", _) => Splitter.Random(count, validation, test, options.Seed),
            ("stratified", null) when classes is not null => Splitter.Stratified(classes(), validation, test, options.Seed),
            (_, null) => throw new DataException($"{Name}: the split strategy '{options.Strategy}' needs classes, which this data does not have. Use 'random'."),
            _ when column is null => throw new DataException($"{Name}: the split strategy '{options.Strategy}' by column '{options.Column}' needs a table. Use 'random' or 'stratified'."),
            ("stratified", { } name) => Splitter.Stratified(Keys(column(name)), validation, test, options.Seed),
            ("group", { } name) => Splitter.ByGroup(Keys(column(name)), validation, test, options.Seed),
            (_, { } name) => column(name) is NumberColumn numbers
                ? Splitter.ByTime(Present(numbers).Values, validation, test)
                : Splitter.ByTime(Times((CategoryColumn)column(name)), validation, test),
        };
    }

    private string[] Keys(TableColumn column) => [.. Enumerable.Range(0, column.Count).Select(row => column.Text(row) ?? throw MissingKey(column, row))];

    private NumberColumn Present(NumberColumn column)
    {
        var row = Array.FindIndex(column.Values, double.IsNaN);
        return row < 0 ? column : throw MissingKey(column, row);
    }

    private DateTime[] Times(CategoryColumn column) => [.. Keys(column).Select((text, row) => DateTime.TryParse(
        text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AdjustToUniversal | System.Globalization.DateTimeStyles.AssumeUniversal, out var time)
        ? time
        : throw new DataException($"{Name}, row {row + 1}: column '{column.Name}' holds times to split by, got '{text}'. Expected a number or a date such as 2024-05-31 or 2024-05-31T13:00:00Z."))];

    private DataException MissingKey(TableColumn column, int row)
        => new($"{Name}, row {row + 1}: column '{column.Name}', by which the rows are split, has no value. Fill it in or leave the row out.");

    private void RequireFree(string split, double? share, bool published)
    {
        if (published && share > 0)
        {
            throw new DataException($"{Name}: the data has a {split} split of its own ({Counts[split]} examples), so a share of {split} cannot be held out as well. Leave `{split}` out of the recipe.");
        }
    }
}

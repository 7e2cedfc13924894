using Nabla.Core;

namespace Nabla.Data;

/// <summary>Texts with labels.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Labels">Class id of each.</param>
public sealed record TextSplit(string[] Texts, long[] Labels);

/// <summary>A data set of texts with classes.</summary>
public sealed record TextClassificationData : LoadedData
{
    /// <summary>Texts to learn from.</summary>
    public required TextSplit Train { get; init; }

    /// <summary>Texts to choose by, or null.</summary>
    public TextSplit? Validation { get; init; }

    /// <summary>Texts to report on, or null.</summary>
    public TextSplit? Test { get; init; }

    /// <summary>The classes by id.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, long> Counts => CountsOf(Train.Texts.Length, Validation?.Texts.Length, Test?.Texts.Length);

    /// <summary>Reads a user's file with a column of texts and one of labels (CSV, TSV, JSON lines or Parquet) as training texts.</summary>
    /// <param name="path">The file.</param>
    /// <param name="textColumn">Column of the texts.</param>
    /// <param name="labelColumn">Column of the labels.</param>
    /// <param name="options">How the file is written; null for the defaults.</param>
    /// <param name="testPath">A second file with the test texts, or null.</param>
    /// <exception cref="DataException">A file is missing or damaged, a column is not there, a text or label is missing, there is one class only, or a test label does not occur in training.</exception>
    public static TextClassificationData Read(string path, string textColumn, string labelColumn, TableFileOptions? options = null, string? testPath = null)
    {
        var train = ReadColumns(path, textColumn, labelColumn, options);
        var names = TargetEncoding.SortClasses([.. train.Labels.Distinct(StringComparer.Ordinal)]);
        if (names.Length < 2)
        {
            throw new DataException(train.Labels.Length == 0
                ? $"{path}: expected labelled texts, got none. Is the file empty?"
                : $"{path}: column '{labelColumn}' holds one class only, '{names[0]}'; expected at least two. Is it the right column?");
        }
        return new()
        {
            Name = Path.GetFileName(path),
            Task = DataTask.TextClassification,
            ContentHash = FileHash.ContentHash(testPath is null ? [path] : [path, testPath]),
            Classes = names,
            Train = new(train.Texts, Ids(train.Labels, names, train.Place)),
            Test = testPath is null ? null : ReadWithClasses(testPath, textColumn, labelColumn, names, options),
        };
    }

    /// <summary>Reads texts and labels whose classes are known from training.</summary>
    /// <param name="path">The file.</param>
    /// <param name="textColumn">Column of the texts.</param>
    /// <param name="labelColumn">Column of the labels.</param>
    /// <param name="classes">The classes by id.</param>
    /// <param name="options">How the file is written; null for the defaults.</param>
    /// <exception cref="DataException">As <see cref="Read"/>; a label that is not among the classes is named with its place.</exception>
    public static TextSplit ReadWithClasses(string path, string textColumn, string labelColumn, IReadOnlyList<string> classes, TableFileOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(classes);
        var (texts, labels, place) = ReadColumns(path, textColumn, labelColumn, options);
        return new(texts, Ids(labels, classes, place));
    }

    /// <inheritdoc/>
    public override TextClassificationData HoldOut(SplitOptions options)
    {
        var split = Split(options, Train.Texts.Length, Validation is not null, Test is not null, () => [.. Train.Labels.Select(label => Classes[(int)label])]);
        return this with
        {
            Train = split is null ? Train : Select(split.Train),
            Validation = split is { Validation.Length: > 0 } ? Select(split.Validation) : options.Validation == 0 ? null : Validation,
            Test = split is { Test.Length: > 0 } ? Select(split.Test) : options.Test == 0 ? null : Test,
        };
    }

    private TextSplit Select(long[] rows) => new(Array.ConvertAll(rows, row => Train.Texts[row]), Array.ConvertAll(rows, row => Train.Labels[row]));

    private static (string[] Texts, string[] Labels, Func<int, string> Place) ReadColumns(string path, string textColumn, string labelColumn, TableFileOptions? options)
    {
        options ??= new();
        // A text such as "NA" or "12" is a text: only an empty one is missing, and both columns are read as written.
        var table = TableFile.Read(path, options with
        {
            MissingValues = ReferenceEquals(options.MissingValues, TableFileOptions.UsualMissingValues) ? [""] : options.MissingValues,
            Kinds = new Dictionary<string, ColumnKind>(options.Kinds, StringComparer.Ordinal) { [textColumn] = ColumnKind.Category, [labelColumn] = ColumnKind.Category },
        });
        return (Values(table, textColumn), Values(table, labelColumn), table.Place);
    }

    private static string[] Values(Table table, string name)
    {
        var column = table[name];
        return [.. Enumerable.Range(0, table.Rows).Select(row => column.Text(row)
            ?? throw new DataException($"{table.Place(row)}: column '{name}' has no value. Leave the row out or fill it in."))];
    }

    private static long[] Ids(string[] labels, IReadOnlyList<string> classes, Func<int, string> place)
    {
        var ids = classes.Index().ToDictionary(name => name.Item, name => (long)name.Index, StringComparer.Ordinal);
        return [.. labels.Select((label, row) => ids.TryGetValue(label, out var id)
            ? id
            : throw new DataException($"{place(row)}: label '{label}' was never seen in training. {NearestName.Suggest(label, [.. classes])}"))];
    }
}

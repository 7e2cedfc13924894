using Nabla.Core;

namespace Nabla.Data;

/// <summary>A table with a column to be predicted.</summary>
public sealed record TabularData : LoadedData
{
    /// <summary>Rows to learn from.</summary>
    public required Table Train { get; init; }

    /// <summary>Rows to choose by, or null.</summary>
    public Table? Validation { get; init; }

    /// <summary>Rows to report on, or null.</summary>
    public Table? Test { get; init; }

    /// <summary>The column to be predicted.</summary>
    public required string Target { get; init; }

    /// <summary>The classes by id where the publisher orders them, else null.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Whether the target is a class.</summary>
    public bool IsClassification => Task == DataTask.TabularClassification;

    /// <summary>Encoder options that fit this data, with the defaults for all else; a recipe changes them through <c>with</c>.</summary>
    public TableEncoderOptions EncoderOptions => new() { Target = Target, IsClassification = IsClassification, Classes = Classes };

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, long> Counts => CountsOf(Train.Rows, Validation?.Rows, Test?.Rows);

    /// <summary>Reads a user's table (CSV, TSV, JSON lines or Parquet) as training rows.</summary>
    /// <param name="path">The file.</param>
    /// <param name="target">The column to be predicted.</param>
    /// <param name="isClassification">Whether the target is a class; null takes text as classes and numbers as numbers.</param>
    /// <param name="options">How the file is written; null for the defaults.</param>
    /// <param name="testPath">A second file with the test rows, or null.</param>
    /// <exception cref="DataException">A file is missing, empty or damaged, or a column that is named is not there.</exception>
    public static TabularData Read(string path, string target, bool? isClassification = null, TableFileOptions? options = null, string? testPath = null)
    {
        options ??= new();
        var train = TableFile.Read(path, options);
        foreach (var name in options.Kinds.Keys.Append(target))
        {
            _ = train[name];
        }
        if (train.Rows == 0)
        {
            throw new DataException($"{path}: expected rows to train on, got a header only.");
        }
        var isClass = isClassification ?? train[target].Kind == ColumnKind.Category;
        return new()
        {
            Name = Path.GetFileName(path),
            Task = isClass ? DataTask.TabularClassification : DataTask.TabularRegression,
            ContentHash = FileHash.ContentHash(testPath is null ? [path] : [path, testPath]),
            Target = target,
            Train = train,
            // The test file is read with the kinds of the training file, so that a column of codes is text in both.
            Test = testPath is null ? null : TableFile.Read(testPath, options with { Kinds = train.Columns.ToDictionary(column => column.Name, column => column.Kind, StringComparer.Ordinal) }),
        };
    }

    /// <inheritdoc/>
    public override TabularData HoldOut(SplitOptions options)
    {
        var split = Split(options, Train.Rows, Validation is not null, Test is not null, IsClassification ? Labels : null, name => Train[name]);
        return this with
        {
            Train = split is null ? Train : Train.Select(split.Train),
            Validation = split is { Validation.Length: > 0 } ? Train.Select(split.Validation) : options.Validation == 0 ? null : Validation,
            Test = split is { Test.Length: > 0 } ? Train.Select(split.Test) : options.Test == 0 ? null : Test,
        };
    }

    private IReadOnlyList<string> Labels() => [.. Enumerable.Range(0, Train.Rows).Select(row => Train[Target].Text(row)
        ?? throw new DataException($"{Train.Place(row)}: the target '{Target}' is missing. Leave the row out or fill it in."))];
}

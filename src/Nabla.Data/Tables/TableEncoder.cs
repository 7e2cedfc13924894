using Nabla.Core;

namespace Nabla.Data;

/// <summary>
/// Turns tables into numbers, category ids and targets. Fitted once, on the training rows; then stored with the run as JSON and used
/// for every other table, so that training and prediction see the same numbers. Immutable and thread-safe.
/// </summary>
public sealed partial class TableEncoder
{
    private readonly NumberEncoding[] _numbers;
    private readonly CategoryEncoding[] _categories;
    private readonly TargetEncoding _target;
    private readonly string[] _ignored;

    private TableEncoder(NumberEncoding[] numbers, CategoryEncoding[] categories, TargetEncoding target, string[] ignored)
    {
        (_numbers, _categories, _target, _ignored) = (numbers, categories, target, ignored);
        FeatureNames = [.. numbers.SelectMany(number => number.HasIndicator ? (string[])[number.Column, $"{number.Column} (missing)"] : [number.Column])];
        CategoryNames = [.. categories.Select(category => category.Column)];
        CategorySizes = [.. categories.Select(category => category.Categories.Length + 1L)];
    }

    /// <summary>Names of the number features, in their order.</summary>
    public IReadOnlyList<string> FeatureNames { get; }

    /// <summary>Names of the category columns, in their order.</summary>
    public IReadOnlyList<string> CategoryNames { get; }

    /// <summary>Number of ids of each category column, the unknown one (0) included: the sizes of embedding tables.</summary>
    public IReadOnlyList<long> CategorySizes { get; }

    /// <summary>The target column.</summary>
    public string Target => _target.Column;

    /// <summary>Whether the target is a class.</summary>
    public bool IsClassification => _target.IsClassification;

    /// <summary>The classes by id; empty for regression.</summary>
    public IReadOnlyList<string> Classes => _target.Classes ?? [];

    /// <summary>Columns that a table must have, besides the target, in the order of training.</summary>
    public IReadOnlyList<string> InputColumns => [.. _numbers.Select(number => number.Column), .. CategoryNames];

    /// <summary>Kinds of the input columns, to read a file the way the training file was read: <c>new TableFileOptions { Kinds = encoder.Kinds }</c>.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds => _numbers.Select(number => KeyValuePair.Create(number.Column, ColumnKind.Number))
        .Concat(_categories.Select(category => KeyValuePair.Create(category.Column, ColumnKind.Category))).ToDictionary(StringComparer.Ordinal);

    /// <summary>Fits an encoder.</summary>
    /// <param name="training">The training rows, and no others.</param>
    /// <param name="options">What is encoded and how.</param>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    /// <exception cref="DataException">The table is empty, has no such column, or its target holds what cannot be learned.</exception>
    public static TableEncoder Fit(Table training, TableEncoderOptions options)
    {
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        foreach (var name in options.LogColumns.Concat(options.ColumnScalers.Keys).Concat(options.Ignore))
        {
            _ = training[name];
        }
        var target = TargetEncoding.Fit(training, options);
        var inputs = training.Columns.Where(column => column.Name != options.Target && !options.Ignore.Contains(column.Name)).ToArray();
        if (inputs.Length == 0)
        {
            throw new DataException($"{training.Source}: besides the target '{options.Target}' there is no column to predict from.");
        }
        if (options.LogColumns.Concat(options.ColumnScalers.Keys).FirstOrDefault(name => training[name] is CategoryColumn) is { } text)
        {
            throw new DataException($"{training.Source}: column '{text}' holds categories; only numbers can be scaled.");
        }
        foreach (var column in inputs.OfType<NumberColumn>())
        {
            RequireFinite(training, column);
        }
        return new(
            [.. inputs.OfType<NumberColumn>().Select(column => NumberEncoding.Fit(column, options))],
            [.. inputs.OfType<CategoryColumn>().Select(column => CategoryEncoding.Fit(column, options))],
            target,
            [.. options.Ignore]);
    }

    /// <summary>Encodes a table with the columns of the training table; their order does not matter.</summary>
    /// <param name="table">The table. Missing numbers are filled as in training, unknown categories get id 0.</param>
    /// <param name="withTarget">Whether the target is encoded too; without it the column need not be there.</param>
    /// <exception cref="DataException">A column is missing, unexpected or of another kind, a number is infinite, or a label was never seen in training.</exception>
    public EncodedTable Encode(Table table, bool withTarget = true)
    {
        ArgumentNullException.ThrowIfNull(table);
        CheckColumns(table, withTarget);
        var (rows, features) = (table.Rows, FeatureNames.Count);
        var numbers = new float[(long)rows * features];
        var feature = 0;
        foreach (var encoding in _numbers)
        {
            var column = NumbersOf(table, encoding.Column);
            for (var row = 0; row < rows; row++)
            {
                numbers[((long)row * features) + feature] = (float)encoding.Encode(column.Values[row]);
                if (encoding.HasIndicator)
                {
                    numbers[((long)row * features) + feature + 1] = double.IsNaN(column.Values[row]) ? 1 : 0;
                }
            }
            feature += encoding.HasIndicator ? 2 : 1;
        }
        var categories = new long[(long)rows * _categories.Length];
        foreach (var (place, encoding) in _categories.Index())
        {
            var column = table[encoding.Column];
            for (var row = 0; row < rows; row++)
            {
                categories[((long)row * _categories.Length) + place] = encoding.Encode(column.Text(row));
            }
        }
        return new()
        {
            Rows = rows,
            Numbers = numbers,
            Features = features,
            Categories = categories,
            CategoryColumns = _categories.Length,
            Classes = withTarget && IsClassification ? _target.EncodeClasses(table) : null,
            Values = withTarget && !IsClassification ? _target.EncodeValues(table) : null,
        };
    }

    /// <summary>The value in the target's own unit that an encoded value (a model's output) stands for. Regression only.</summary>
    /// <param name="encoded">The encoded value.</param>
    /// <exception cref="InvalidOperationException">The target is a class.</exception>
    public double DecodeTarget(double encoded) => IsClassification
        ? throw new InvalidOperationException($"The target '{Target}' is a class; read Classes[id] instead.")
        : _target.Decode(encoded);

    /// <summary>How many units of the target one unit of its encoding is; null when the encoding is not linear (log) or the target is a class.</summary>
    public double? TargetScale => IsClassification || _target.IsLog ? null : _target.Scale;

    private void CheckColumns(Table table, bool withTarget)
    {
        var expected = withTarget ? [.. InputColumns, Target] : InputColumns;
        var missing = expected.Where(name => table.Find(name) is null).ToArray();
        var extra = table.Names.Where(name => name != Target && !_ignored.Contains(name) && !InputColumns.Contains(name)).ToArray();
        if (missing.Length == 0 && extra.Length == 0)
        {
            return;
        }
        var nearest = missing.Select(name => (name, near: NearestName.Find(name, extra))).Where(pair => pair.near is not null)
            .Select(pair => $" '{pair.near}' may be meant to be '{pair.name}'.");
        throw new DataException($"{table.Source}: the columns are not those of training. Expected {List(expected)}; got {List(table.Names)}."
            + (missing.Length > 0 ? $" Missing: {List(missing)}." : "")
            + (extra.Length > 0 ? $" Not expected: {List(extra)}; take them out." : "")
            + string.Concat(nearest));
    }

    private static NumberColumn NumbersOf(Table table, string name)
    {
        var column = table[name] as NumberColumn ?? ((CategoryColumn)table[name]).ToNumbers(table.Place);
        RequireFinite(table, column);
        return column;
    }

    private static void RequireFinite(Table table, NumberColumn column)
    {
        var row = Array.FindIndex(column.Values, double.IsInfinity);
        if (row >= 0)
        {
            throw new DataException($"{table.Place(row)}: column '{column.Name}' is infinite; expected a finite number or a missing value.");
        }
    }

    private static string List(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"'{name}'"));
}

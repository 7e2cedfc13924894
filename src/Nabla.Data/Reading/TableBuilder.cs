using System.Globalization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>Collects records of text and turns each column into numbers or categories.</summary>
internal sealed class TableBuilder
{
    private readonly string _path;
    private readonly TableFileOptions _options;
    private readonly HashSet<string> _missing;
    private readonly Dictionary<string, int> _index;
    private readonly List<string?>[] _values;
    private readonly List<long> _lines = [];

    public TableBuilder(string path, IReadOnlyList<string> columns, TableFileOptions options)
    {
        (_path, _options, Columns) = (path, options, columns);
        _missing = new(options.MissingValues, StringComparer.Ordinal);
        _index = columns.Index().ToDictionary(column => column.Item, column => column.Index, StringComparer.Ordinal);
        _values = [.. columns.Select(_ => new List<string?>())];
    }

    public IReadOnlyList<string> Columns { get; }

    public int IndexOf(string column) => _index.GetValueOrDefault(column, -1);

    public void Add(long line, ReadOnlySpan<string?> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var value = fields[i];
            _values[i].Add(value is null || _missing.Contains(value) ? null : value);
        }
        _lines.Add(line);
    }

    public Table Build()
    {
        var lines = _lines.ToArray();
        return new Table([.. Columns.Select((name, i) => ToColumn(name, _values[i], lines))], _path, lines);
    }

    private TableColumn ToColumn(string name, List<string?> values, long[] lines)
    {
        var declared = _options.Kinds.TryGetValue(name, out var kind);
        if (declared && kind == ColumnKind.Category)
        {
            return new CategoryColumn(name, [.. values]);
        }
        var numbers = new double[values.Count];
        for (var row = 0; row < numbers.Length; row++)
        {
            if (values[row] is not { } text)
            {
                numbers[row] = double.NaN;
            }
            else if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[row]))
            {
                return declared
                    ? throw new DataException($"{_path}, line {lines[row]}: column '{name}' holds numbers, got '{text}'. Correct the value, add it to the missing values, or declare the column a category.")
                    : new CategoryColumn(name, [.. values]);
            }
        }
        // Only once the column is known to be numbers: a value like "Infinity" could also be a name.
        for (var row = 0; row < numbers.Length; row++)
        {
            if (values[row] is { } text && !double.IsFinite(numbers[row]))
            {
                throw new DataException($"{_path}, line {lines[row]}: column '{name}' holds numbers, got '{text}', which is not finite. Correct the value or add it to the missing values.");
            }
        }
        return new NumberColumn(name, numbers);
    }
}

using Nabla.Core;

namespace Nabla.Data;

/// <summary>Named columns of equal length, in memory. Immutable by convention; safe to read from several threads.</summary>
public sealed class Table
{
    private readonly Dictionary<string, int> _index;
    private readonly long[]? _lines;

    /// <summary>Makes a table.</summary>
    /// <param name="columns">The columns, of equal length and with different names.</param>
    /// <param name="source">What error messages call it, such as a file's path.</param>
    /// <exception cref="DataException">There is no column, lengths differ, or a name stands twice.</exception>
    public Table(IEnumerable<TableColumn> columns, string source = "table")
        : this([.. columns], source, null)
    {
    }

    internal Table(TableColumn[] columns, string source, long[]? lines)
    {
        (Columns, Source, _lines, _index) = (columns, source, lines, new(StringComparer.Ordinal));
        if (columns.Length == 0)
        {
            throw new DataException($"{source}: a table needs at least one column.");
        }
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i].Count != columns[0].Count)
            {
                throw new DataException($"{source}: column '{columns[i].Name}' has {columns[i].Count} rows, '{columns[0].Name}' has {columns[0].Count}; expected the same number.");
            }
            if (!_index.TryAdd(columns[i].Name, i))
            {
                throw new DataException($"{source}: column '{columns[i].Name}' stands twice; rename one of them.");
            }
        }
    }

    /// <summary>The columns.</summary>
    public IReadOnlyList<TableColumn> Columns { get; }

    /// <summary>Number of rows.</summary>
    public int Rows => Columns[0].Count;

    /// <summary>What error messages call the table, such as a file's path.</summary>
    public string Source { get; }

    /// <summary>Names of the columns.</summary>
    public IReadOnlyList<string> Names => [.. Columns.Select(column => column.Name)];

    /// <summary>The column of a name.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="DataException">There is no such column; the message lists the names and the nearest.</exception>
    public TableColumn this[string name] => Find(name)
        ?? throw new DataException($"{Source}: there is no column '{name}'. {NearestName.Suggest(name, [.. Names])}");

    /// <summary>The column of a name, or null.</summary>
    /// <param name="name">The name.</param>
    public TableColumn? Find(string name) => _index.TryGetValue(name, out var i) ? Columns[i] : null;

    /// <summary>The rows with these numbers, in this order, repeats allowed.</summary>
    /// <param name="rows">Row numbers, from 0.</param>
    public Table Select(params ReadOnlySpan<long> rows)
    {
        var columns = new TableColumn[Columns.Count];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = Columns[i].Select(rows);
        }
        var lines = new long[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            lines[i] = _lines is null ? -rows[i] - 1 : _lines[rows[i]];
        }
        return new(columns, Source, lines);
    }

    /// <summary>This table without some columns; names that are not there are passed over.</summary>
    /// <param name="names">The names to leave out.</param>
    public Table Without(params IReadOnlyCollection<string> names)
        => new([.. Columns.Where(column => !names.Contains(column.Name))], Source, _lines);

    /// <summary>This table with a column added at the end, or put in the place of the one with its name.</summary>
    /// <param name="column">The column.</param>
    public Table With(TableColumn column)
    {
        ArgumentNullException.ThrowIfNull(column);
        return new(_index.TryGetValue(column.Name, out var place)
            ? [.. Columns.Select((old, i) => i == place ? column : old)]
            : [.. Columns, column], Source, _lines);
    }

    /// <summary>The rows of this table, then those of another with the same columns. A column that is numbers in one only becomes categories.</summary>
    /// <param name="other">The other table.</param>
    /// <param name="source">What error messages call the result.</param>
    /// <exception cref="DataException">The columns differ.</exception>
    public Table Append(Table other, string? source = null)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (!Names.SequenceEqual(other.Names, StringComparer.Ordinal))
        {
            throw new DataException($"{other.Source}: expected the columns of {Source} ({string.Join(", ", Names)}), got {string.Join(", ", other.Names)}.");
        }
        return new([.. Columns.Select((column, i) => column.Append(other.Columns[i]))], source ?? Source, null);
    }

    /// <summary>Names a row for an error message: <c>a.csv, line 3</c> when it was read from a text file, else <c>table, row 2</c>.</summary>
    /// <param name="row">Row, from 0.</param>
    public string Place(int row) => _lines is null ? $"{Source}, row {row + 1}"
        : _lines[row] > 0 ? $"{Source}, line {_lines[row]}" : $"{Source}, row {-_lines[row]}";
}

using System.Globalization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>What the values of a table column are.</summary>
public enum ColumnKind
{
    /// <summary>Numbers; a missing one is NaN.</summary>
    Number,

    /// <summary>Text that names a category; a missing one is null.</summary>
    Category,
}

/// <summary>One named column of a <see cref="Table"/>: a <see cref="NumberColumn"/> or a <see cref="CategoryColumn"/>.</summary>
public abstract class TableColumn
{
    private protected TableColumn(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Name = name;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>What its values are.</summary>
    public abstract ColumnKind Kind { get; }

    /// <summary>Number of rows.</summary>
    public abstract int Count { get; }

    /// <summary>Number of rows without a value.</summary>
    public abstract int MissingCount { get; }

    /// <summary>A value as text, in the form in which it is written to a file; null when missing.</summary>
    /// <param name="row">Row, from 0.</param>
    public abstract string? Text(int row);

    /// <summary>The rows with these numbers, in this order.</summary>
    /// <param name="rows">Row numbers, from 0.</param>
    public abstract TableColumn Select(ReadOnlySpan<long> rows);

    /// <summary>This column under another name.</summary>
    /// <param name="name">The new name.</param>
    public abstract TableColumn Rename(string name);

    internal abstract TableColumn Append(TableColumn other);
}

/// <summary>A column of numbers.</summary>
/// <param name="name">Its name.</param>
/// <param name="values">The numbers; NaN where one is missing. Taken over, not copied.</param>
public sealed class NumberColumn(string name, double[] values) : TableColumn(name)
{
    /// <summary>The numbers; NaN where one is missing.</summary>
    public double[] Values { get; } = values;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Number;

    /// <inheritdoc/>
    public override int Count => Values.Length;

    /// <inheritdoc/>
    public override int MissingCount => Values.Count(double.IsNaN);

    /// <inheritdoc/>
    public override string? Text(int row) => double.IsNaN(Values[row]) ? null : Values[row].ToString("R", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override TableColumn Select(ReadOnlySpan<long> rows)
    {
        var selected = new double[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            selected[i] = Values[rows[i]];
        }
        return new NumberColumn(Name, selected);
    }

    /// <inheritdoc/>
    public override TableColumn Rename(string name) => new NumberColumn(name, Values);

    /// <summary>The numbers as text, each in its shortest exact form (<c>7</c>, <c>0.5</c>).</summary>
    public CategoryColumn ToCategories() => new(Name, [.. Enumerable.Range(0, Count).Select(Text)]);

    internal override TableColumn Append(TableColumn other) => other is NumberColumn numbers
        ? new NumberColumn(Name, [.. Values, .. numbers.Values])
        : ToCategories().Append(other);
}

/// <summary>A column of categories.</summary>
/// <param name="name">Its name.</param>
/// <param name="values">The categories; null where one is missing. Taken over, not copied.</param>
public sealed class CategoryColumn(string name, string?[] values) : TableColumn(name)
{
    /// <summary>The categories; null where one is missing.</summary>
    public string?[] Values { get; } = values;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Category;

    /// <inheritdoc/>
    public override int Count => Values.Length;

    /// <inheritdoc/>
    public override int MissingCount => Values.Count(value => value is null);

    /// <inheritdoc/>
    public override string? Text(int row) => Values[row];

    /// <inheritdoc/>
    public override TableColumn Select(ReadOnlySpan<long> rows)
    {
        var selected = new string?[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            selected[i] = Values[rows[i]];
        }
        return new CategoryColumn(Name, selected);
    }

    /// <inheritdoc/>
    public override TableColumn Rename(string name) => new CategoryColumn(name, Values);

    /// <summary>The text parsed as numbers.</summary>
    /// <param name="place">Names the place of a row for the error, such as <c>a.csv, line 3</c>.</param>
    /// <exception cref="DataException">A value is no finite number.</exception>
    internal NumberColumn ToNumbers(Func<int, string> place)
    {
        var numbers = new double[Count];
        for (var row = 0; row < numbers.Length; row++)
        {
            numbers[row] = double.NaN;
            if (Values[row] is { } text && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[row]) && double.IsFinite(numbers[row])))
            {
                throw new DataException($"{place(row)}: column '{Name}' holds numbers, got '{text}'.");
            }
        }
        return new(Name, numbers);
    }

    internal override TableColumn Append(TableColumn other)
        => new CategoryColumn(Name, [.. Values, .. (other is NumberColumn numbers ? numbers.ToCategories() : (CategoryColumn)other).Values]);
}

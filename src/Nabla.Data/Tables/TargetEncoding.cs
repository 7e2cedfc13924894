using System.Globalization;
using System.Text.Json.Serialization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>How the target column becomes class ids or scaled values, and back.</summary>
internal sealed record TargetEncoding
{
    private Dictionary<string, long>? _ids;

    public required string Column { get; init; }

    /// <summary>The classes, or null for regression.</summary>
    public string[]? Classes { get; init; }

    public bool IsLog { get; init; }

    public double Center { get; init; }

    public double Scale { get; init; } = 1;

    [JsonIgnore]
    public bool IsClassification => Classes is not null;

    public static TargetEncoding Fit(Table table, TableEncoderOptions options)
    {
        var column = table[options.Target];
        RequireValues(table, column);
        return options.IsClassification ? FitClasses(table, column, options) : FitValues(table, column, options);
    }

    public long[] EncodeClasses(Table table)
    {
        var column = table[Column];
        RequireValues(table, column);
        _ids ??= Classes!.Index().ToDictionary(name => name.Item, name => (long)name.Index, StringComparer.Ordinal);
        var ids = new long[table.Rows];
        for (var row = 0; row < ids.Length; row++)
        {
            var label = column.Text(row)!;
            ids[row] = _ids.TryGetValue(label, out var id)
                ? id
                : throw new DataException($"{table.Place(row)}: label '{label}' of column '{Column}' was never seen in training. {NearestName.Suggest(label, Classes!)}");
        }
        return ids;
    }

    public float[] EncodeValues(Table table)
    {
        var values = Numbers(table, table[Column]);
        var encoded = new float[values.Length];
        for (var row = 0; row < values.Length; row++)
        {
            encoded[row] = (float)((Transform(table, row, values[row]) - Center) / Scale);
        }
        return encoded;
    }

    /// <summary>The original value of an encoded one.</summary>
    public double Decode(double encoded)
    {
        var value = (encoded * Scale) + Center;
        return IsLog ? Math.Exp(value) - 1 : value;
    }

    private static TargetEncoding FitClasses(Table table, TableColumn column, TableEncoderOptions options)
    {
        if (options.Classes is { } given)
        {
            return new() { Column = column.Name, Classes = [.. given] };
        }
        var labels = Enumerable.Range(0, column.Count).Select(row => column.Text(row)!).Distinct(StringComparer.Ordinal).ToArray();
        if (labels.Length < 2)
        {
            throw new DataException($"{table.Source}: column '{column.Name}' holds one class only, '{labels[0]}'; expected at least two. Is it the right target column?");
        }
        const int mostClasses = 10_000; // more are almost surely numbers or identifiers taken for classes
        if (labels.Length > mostClasses)
        {
            throw new DataException($"{table.Source}: column '{column.Name}' holds {labels.Length} different values; as classes at most {mostClasses} make sense. For a number to be predicted, use regression.");
        }
        return new() { Column = column.Name, Classes = SortClasses(labels) };
    }

    private static TargetEncoding FitValues(Table table, TableColumn column, TableEncoderOptions options)
    {
        var encoding = new TargetEncoding { Column = column.Name, IsLog = options.TargetScaling == "log" };
        var numbers = Numbers(table, column);
        var values = numbers.Select((value, row) => encoding.Transform(table, row, value)).ToArray();
        if (options.TargetScaling == "none")
        {
            return encoding;
        }
        var mean = NumberEncoding.Mean(values);
        var deviation = Math.Sqrt(NumberEncoding.Mean([.. values.Select(value => (value - mean) * (value - mean))]));
        return encoding with { Center = mean, Scale = deviation > 1e-14 * Math.Abs(mean) && deviation > 0 ? deviation : 1 };
    }

    /// <summary>Numbers by value when all are, else by text.</summary>
    internal static string[] SortClasses(string[] labels)
    {
        var values = new double[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            if (!double.TryParse(labels[i], NumberStyles.Float, CultureInfo.InvariantCulture, out values[i]))
            {
                return [.. labels.Order(StringComparer.Ordinal)];
            }
        }
        return [.. labels.Index().OrderBy(label => values[label.Index]).ThenBy(label => label.Item, StringComparer.Ordinal).Select(label => label.Item)];
    }

    private double Transform(Table table, int row, double value) => !IsLog ? value
        : value > -1 ? Math.Log(1 + value)
        : throw new DataException($"{table.Place(row)}: column '{Column}' is {value.ToString(CultureInfo.InvariantCulture)}; the target scaling 'log' needs values above -1. Use 'standard'.");

    private static double[] Numbers(Table table, TableColumn column)
    {
        RequireValues(table, column);
        var values = (column as NumberColumn ?? ((CategoryColumn)column).ToNumbers(row => $"{table.Place(row)}, the target of a regression")).Values;
        var row = Array.FindIndex(values, double.IsInfinity);
        return row < 0 ? values : throw new DataException($"{table.Place(row)}: column '{column.Name}' is infinite. Correct the value.");
    }

    private static void RequireValues(Table table, TableColumn column)
    {
        if (table.Rows == 0)
        {
            throw new DataException($"{table.Source}: expected at least one row, got none.");
        }
        if (column.MissingCount > 0)
        {
            var row = Enumerable.Range(0, column.Count).First(row => column.Text(row) is null);
            throw new DataException($"{table.Place(row)}: the target '{column.Name}' is missing here and in {column.MissingCount} of {column.Count} rows in all. Leave those rows out or fill them in.");
        }
    }
}

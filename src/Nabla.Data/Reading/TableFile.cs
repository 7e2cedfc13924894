using Nabla.Core;

namespace Nabla.Data;

/// <summary>Reads a whole table from a CSV, TSV, JSON lines or Parquet file, plain or gzip.</summary>
public static class TableFile
{
    /// <summary>The formats that can be read.</summary>
    public static IReadOnlyCollection<string> Formats { get; } = ["csv", "tsv", "jsonl", "parquet"];

    /// <summary>Reads a table.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is written; null for the defaults.</param>
    /// <exception cref="DataException">The file is missing or damaged, has ragged rows, or a value is not of its column's kind.</exception>
    public static Table Read(string path, TableFileOptions? options = null)
    {
        options ??= new();
        options.Validate();
        return FormatOf(path, options) switch
        {
            "jsonl" => ReadJsonLines(path, options),
            "parquet" => ParquetTable.ReadAsync(path, options, CancellationToken.None).GetAwaiter().GetResult(),
            _ => ReadDelimited(path, options),
        };
    }

    /// <summary>Reads a table in the background.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is written; null for the defaults.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="DataException">The file is missing or damaged, has ragged rows, or a value is not of its column's kind.</exception>
    public static Task<Table> ReadAsync(string path, TableFileOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        options.Validate();
        return FormatOf(path, options) == "parquet"
            ? ParquetTable.ReadAsync(path, options, cancellationToken)
            : Task.Run(() => Read(path, options), cancellationToken);
    }

    private static string FormatOf(string path, TableFileOptions options) => options.Format ?? DataFile.FormatExtension(path) switch
    {
        ".csv" or ".txt" or ".data" => "csv",
        ".tsv" or ".tab" => "tsv",
        ".jsonl" or ".ndjson" => "jsonl",
        ".parquet" => "parquet",
        _ when options.Separator is not null => "csv",
        var extension => throw new DataException($"{path}: the format of '{extension}' is not known. Expected .csv, .tsv, .jsonl or .parquet (each also with .gz, but Parquet); or give the format."),
    };

    private static Table ReadDelimited(string path, TableFileOptions options)
    {
        using var file = DelimitedFile.Open(path, options);
        var builder = new TableBuilder(path, file.Columns, options);
        foreach (var record in file.Records())
        {
            builder.Add(record.Line, record.Fields);
        }
        return builder.Build();
    }

    private static Table ReadJsonLines(string path, TableFileOptions options)
    {
        TableBuilder? builder = null;
        string?[] fields = [];
        foreach (var (line, value) in JsonLines.Read(path))
        {
            if (builder is null)
            {
                builder = new(path, options.ColumnNames ?? [.. value.EnumerateObject().Select(property => property.Name)], options);
                fields = new string?[builder.Columns.Count];
            }
            Array.Clear(fields);
            foreach (var property in value.EnumerateObject())
            {
                var column = builder.IndexOf(property.Name);
                if (column < 0)
                {
                    throw new DataException($"{path}, line {line}: key '{property.Name}' is not among the columns of the first line ({string.Join(", ", builder.Columns)}). Every line must have the same keys; a missing value is null.");
                }
                fields[column] = property.Value.ValueKind switch
                {
                    System.Text.Json.JsonValueKind.Null => null,
                    System.Text.Json.JsonValueKind.String => property.Value.GetString(),
                    System.Text.Json.JsonValueKind.Object or System.Text.Json.JsonValueKind.Array =>
                        throw new DataException($"{path}, line {line}: key '{property.Name}' holds {property.Value.ValueKind}; a table column holds text, numbers, booleans or null."),
                    _ => property.Value.GetRawText(),
                };
            }
            builder.Add(line, fields);
        }
        return builder?.Build() ?? throw new DataException($"{path}: expected a table, got an empty file.");
    }
}

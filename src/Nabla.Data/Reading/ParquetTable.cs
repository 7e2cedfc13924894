using System.Globalization;
using Nabla.Core;
using Parquet;
using Parquet.Schema;

namespace Nabla.Data;

/// <summary>Reads a Parquet file with flat columns as a table: numbers and booleans as numbers, text and dates as categories.</summary>
internal static class ParquetTable
{
    public static async Task<Table> ReadAsync(string path, TableFileOptions options, CancellationToken cancellationToken)
    {
        using var file = DataFile.Open(path);
        try
        {
            var reader = await ParquetReader.CreateAsync(file, leaveStreamOpen: true, cancellationToken: cancellationToken).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                return await ReadAsync(path, reader, options, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (error is not (DataException or OperationCanceledException))
        {
            // The library reports damage by many exception types (IO, index, format, null), so all become one error that names the file.
            throw new DataException($"{path}: expected a Parquet file, got one that is cut off, damaged or of an unsupported kind: {error.Message}", error);
        }
    }

    private static async Task<Table> ReadAsync(string path, ParquetReader reader, TableFileOptions options, CancellationToken cancellationToken)
    {
        var fields = reader.Schema.Fields;
        if (fields.FirstOrDefault(field => field is not DataField { IsArray: false }) is { } nested)
        {
            throw new DataException($"{path}: column '{nested.Name}' holds lists or structures; a table column holds text, numbers, booleans or dates.");
        }
        if (options.ColumnNames is { } names && names.Count != fields.Count)
        {
            throw new DataException($"{path}: expected {names.Count} columns ({string.Join(", ", names)}), got {fields.Count}.");
        }
        var columns = fields.Cast<DataField>().Select((field, i) => new ColumnReader(path, options.ColumnNames?[i] ?? field.Name, field, options)).ToArray();
        for (var group = 0; group < reader.RowGroupCount; group++)
        {
            using var rows = reader.OpenRowGroupReader(group);
            foreach (var column in columns)
            {
                await column.ReadAsync(rows, cancellationToken).ConfigureAwait(false);
            }
        }
        return new Table([.. columns.Select(column => column.Build())], path);
    }

    /// <summary>Gathers one column over the row groups.</summary>
    private sealed class ColumnReader(string path, string name, DataField field, TableFileOptions options)
    {
        private readonly List<double> _numbers = [];
        private readonly List<string?> _texts = [];

        public async Task ReadAsync(ParquetRowGroupReader rows, CancellationToken cancellationToken)
        {
            var count = checked((int)rows.RowCount);
            if (field.ClrType == typeof(string) || field.ClrType == typeof(ReadOnlyMemory<char>))
            {
                var values = new string?[count];
                await rows.ReadAsync(field, values.AsMemory()!, cancellationToken: cancellationToken).ConfigureAwait(false);
                _texts.AddRange(values.Select(value => value is null || options.MissingValues.Contains(value) ? null : value));
                return;
            }
            await (Type.GetTypeCode(field.ClrType) switch
            {
                TypeCode.Boolean => ReadAsync<bool>(rows, count, value => value ? 1 : 0, cancellationToken),
                TypeCode.Byte => ReadAsync<byte>(rows, count, value => value, cancellationToken),
                TypeCode.SByte => ReadAsync<sbyte>(rows, count, value => value, cancellationToken),
                TypeCode.Int16 => ReadAsync<short>(rows, count, value => value, cancellationToken),
                TypeCode.UInt16 => ReadAsync<ushort>(rows, count, value => value, cancellationToken),
                TypeCode.Int32 => ReadAsync<int>(rows, count, value => value, cancellationToken),
                TypeCode.UInt32 => ReadAsync<uint>(rows, count, value => value, cancellationToken),
                TypeCode.Int64 => ReadAsync<long>(rows, count, value => value, cancellationToken),
                TypeCode.UInt64 => ReadAsync<ulong>(rows, count, value => value, cancellationToken),
                TypeCode.Single => ReadAsync<float>(rows, count, value => value, cancellationToken),
                TypeCode.Double => ReadAsync<double>(rows, count, value => value, cancellationToken),
                TypeCode.Decimal => ReadAsync<decimal>(rows, count, value => (double)value, cancellationToken),
                TypeCode.DateTime => ReadTextAsync<DateTime>(rows, count, value => value.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture), cancellationToken),
                _ => throw new DataException($"{path}: column '{name}' is of type {field.ClrType.Name}; a table column holds text, numbers, booleans or dates."),
            }).ConfigureAwait(false);
        }

        public TableColumn Build()
        {
            var isText = _texts.Count > 0;
            var declared = options.Kinds.TryGetValue(name, out var kind) ? kind : isText ? ColumnKind.Category : ColumnKind.Number;
            return (isText, declared) switch
            {
                (true, ColumnKind.Category) => new CategoryColumn(name, [.. _texts]),
                (false, ColumnKind.Category) => new NumberColumn(name, [.. _numbers]).ToCategories(),
                (true, _) => new CategoryColumn(name, [.. _texts]).ToNumbers(row => $"{path}, row {row + 1}"),
                _ => CheckedNumbers(),
            };
        }

        private NumberColumn CheckedNumbers()
        {
            var row = _numbers.FindIndex(double.IsInfinity);
            return row < 0
                ? new NumberColumn(name, [.. _numbers])
                : throw new DataException($"{path}, row {row + 1}: column '{name}' holds an infinite number. Correct the value or make it missing.");
        }

        private async Task ReadAsync<T>(ParquetRowGroupReader rows, int count, Func<T, double> convert, CancellationToken cancellationToken) where T : struct
            => _numbers.AddRange((await ReadValuesAsync<T>(rows, count, cancellationToken).ConfigureAwait(false)).Select(value => value is { } there ? convert(there) : double.NaN));

        private async Task ReadTextAsync<T>(ParquetRowGroupReader rows, int count, Func<T, string> convert, CancellationToken cancellationToken) where T : struct
            => _texts.AddRange((await ReadValuesAsync<T>(rows, count, cancellationToken).ConfigureAwait(false)).Select(value => value is { } there ? convert(there) : null));

        private async Task<T?[]> ReadValuesAsync<T>(ParquetRowGroupReader rows, int count, CancellationToken cancellationToken) where T : struct
        {
            if (field.IsNullable)
            {
                var nullable = new T?[count];
                await rows.ReadAsync<T>(field, nullable.AsMemory(), cancellationToken: cancellationToken).ConfigureAwait(false);
                return nullable;
            }
            var values = new T[count];
            await rows.ReadAsync<T>(field, values.AsMemory(), cancellationToken: cancellationToken).ConfigureAwait(false);
            return Array.ConvertAll(values, value => (T?)value);
        }
    }
}

using System.Text.Unicode;
using CsvHelper;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>One record of a text table.</summary>
/// <param name="Line">Line of the file where the record starts, from 1.</param>
/// <param name="Fields">The fields, as many as the file has columns.</param>
public readonly record struct DelimitedRecord(long Line, string[] Fields);

/// <summary>
/// Reads text tables (CSV, TSV), plain or gzip, record by record, so a file may be larger than memory. Every record must have as many
/// fields as there are columns; blank lines are skipped. Not thread-safe; dispose it to close the file.
/// </summary>
public sealed class DelimitedFile : IDisposable
{
    // A longer record is a quote that was never closed rather than data.
    private const int LargestRecord = 64 * 1024 * 1024;
    private readonly string _path;
    private readonly Stream _stream;
    private readonly CsvReader _reader;
    private readonly bool _quoted;
    private bool _hasRecord;

    private DelimitedFile(string path, TableFileOptions options)
    {
        (_path, _quoted) = (path, options.Quoted);
        _stream = DataFile.OpenRead(path);
        var separator = options.Separator ?? (options.Format == "tsv" || (options.Format is null && DataFile.FormatExtension(path) is ".tsv" or ".tab") ? '\t' : ',');
        _reader = CsvReader.Create(_stream, new CsvReaderOptions
        {
            Separator = separator,
            HasHeader = false,
            Mode = options.Quoted ? CsvMode.Rfc4180 : CsvMode.NoEscape,
            MalformedData = CsvMalformedDataHandling.Throw,
            TrimWhitespace = options.Trim,
            TrackLineNumbers = true,
            PoolStrings = true,
            MaxRecordSize = LargestRecord,
            Encoding = null,
        });
        try
        {
            Columns = ReadColumns(options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Names of the columns, each once.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Opens a file and reads its header.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is written; null for the defaults.</param>
    /// <exception cref="DataException">The file is missing, empty or damaged, or its header does not fit.</exception>
    public static DelimitedFile Open(string path, TableFileOptions? options = null)
    {
        options ??= new();
        options.Validate();
        return new(path, options);
    }

    /// <summary>The records that are left, in the file's order.</summary>
    /// <exception cref="DataException">A record has the wrong number of fields, a quote is wrong, or bytes are no UTF-8; the message holds file and line.</exception>
    public IEnumerable<DelimitedRecord> Records()
    {
        while (_hasRecord)
        {
            if (_reader.FieldCount != Columns.Count)
            {
                throw new DataException($"{_path}, line {_reader.LineNumber}: expected {Columns.Count} columns, got {_reader.FieldCount}. "
                    + (_quoted ? "A field that holds the separator must be quoted." : "Check the separator."));
            }
            yield return new(_reader.LineNumber, Fields());
            Advance();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _stream.Dispose();
    }

    private string[] ReadColumns(TableFileOptions options)
    {
        Advance();
        if (!_hasRecord)
        {
            throw new DataException($"{_path}: expected a table, got an empty file.");
        }
        var names = options.HasHeader ? Unique(Fields()) : [.. Enumerable.Range(1, _reader.FieldCount).Select(number => $"column {number}")];
        if (options.HasHeader)
        {
            Advance();
        }
        if (options.ColumnNames is not { } given)
        {
            return names;
        }
        return given.Count == names.Length
            ? [.. given]
            : throw new DataException($"{_path}, line 1: expected {given.Count} columns ({string.Join(", ", given)}), got {names.Length}.");
    }

    /// <summary>Gives columns without a name their number, and a repeated name a suffix: <c>a, a.1</c>, as pandas does.</summary>
    private static string[] Unique(string[] names)
    {
        var taken = new HashSet<string>(names, StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < names.Length; i++)
        {
            var name = names[i].Length == 0 ? $"column {i + 1}" : names[i];
            for (var copy = 1; !seen.Add(name); copy++)
            {
                var candidate = $"{names[i]}.{copy}";
                name = taken.Contains(candidate) ? name : candidate;
            }
            names[i] = name;
        }
        return names;
    }

    private string[] Fields()
    {
        var fields = new string[_reader.FieldCount];
        for (var i = 0; i < fields.Length; i++)
        {
            if (!Utf8.IsValid(_reader.GetSpan(i)))
            {
                throw new DataException($"{_path}, line {_reader.LineNumber}, column {i + 1}: expected UTF-8 text, got other bytes. Convert the file, for example with: iconv -f LATIN1 -t UTF-8.");
            }
            fields[i] = _reader.GetString(i);
        }
        return fields;
    }

    private void Advance()
    {
        try
        {
            _hasRecord = _reader.Read();
        }
        catch (CsvFormatException error)
        {
            var line = error.LineNumber > 0 ? $", line {error.LineNumber}" : "";
            throw new DataException($"{_path}{line}: the quotes do not fit: {error.Message} A quoted field starts and ends with \" and doubles each quote inside; if quotes are plain text here, set quoted: false.", error);
        }
        catch (IOException error)
        {
            throw new DataException($"{_path}: the file cannot be read: {error.Message}", error);
        }
    }
}

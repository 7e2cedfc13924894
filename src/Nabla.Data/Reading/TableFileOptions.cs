using Nabla.Core;

namespace Nabla.Data;

/// <summary>How a table file is read. The defaults fit a CSV, TSV, JSON lines or Parquet file whose columns have names.</summary>
public sealed record TableFileOptions
{
    /// <summary>Values that mean "missing" unless said otherwise: empty, <c>?</c>, and the usual spellings of not available.</summary>
    public static IReadOnlyList<string> UsualMissingValues { get; } = ["", "?", "NA", "N/A", "nan", "NaN", "NAN", "null", "NULL"];

    /// <summary>Format: <c>csv</c>, <c>tsv</c>, <c>jsonl</c>, <c>parquet</c>, or null to take it from the file's extension. Default: null.</summary>
    public string? Format { get; init; }

    /// <summary>Character between fields of a text table, or null for a comma in <c>.csv</c> and a tab in <c>.tsv</c>. Default: null.</summary>
    public char? Separator { get; init; }

    /// <summary>Whether the first record of a text table names the columns. Default: true.</summary>
    public bool HasHeader { get; init; } = true;

    /// <summary>Names of the columns, instead of those of the file; null takes the file's, or <c>column 1</c> and so on without a header. Default: null.</summary>
    public IReadOnlyList<string>? ColumnNames { get; init; }

    /// <summary>Whether a double quote at the start of a field opens a quoted field (RFC 4180); false takes quotes as text. Default: true.</summary>
    public bool Quoted { get; init; } = true;

    /// <summary>Whether spaces around fields are removed. Default: true.</summary>
    public bool Trim { get; init; } = true;

    /// <summary>Values that mean "missing", matched exactly. Default: <see cref="UsualMissingValues"/>.</summary>
    public IReadOnlyList<string> MissingValues { get; init; } = UsualMissingValues;

    /// <summary>Kinds of columns by name; a column that is not listed is numbers when all its values are, else categories. Default: none.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds { get; init; } = new Dictionary<string, ColumnKind>();

    /// <summary>Checks the options.</summary>
    /// <exception cref="OptionsException">An option is not valid.</exception>
    public void Validate()
    {
        var check = OptionsCheck.For(this)
            .Require(Separator is null or (>= '\t' and < (char)128 and not '\n' and not '\r' and not '"'), $"Separator must be an ASCII character other than a line end or a quote; it is U+{(int)(Separator ?? ','):X4}.")
            .Require(ColumnNames is null || ColumnNames.Distinct(StringComparer.Ordinal).Count() == ColumnNames.Count, "ColumnNames holds a name twice.")
            .Require(ColumnNames is null or { Count: > 0 }, "ColumnNames is empty; leave it out to take the file's names.");
        if (Format is not null)
        {
            check.OneOf(nameof(Format), Format, TableFile.Formats);
        }
        check.ThrowIfAny();
    }
}

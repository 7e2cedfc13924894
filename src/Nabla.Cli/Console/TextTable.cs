namespace Nabla.Cli;

/// <summary>A table of text with aligned columns, good for people and for <c>awk</c>; numbers stand at the right.</summary>
/// <param name="headers">Titles of the columns; one that begins with <c>&gt;</c> is aligned to the right.</param>
internal sealed class TextTable(params string[] headers)
{
    private const string Gap = "  ";
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="cells">As many cells as there are columns; null is an empty one.</param>
    public void Add(params string?[] cells)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(cells.Length, headers.Length);
        _rows.Add([.. cells.Select(cell => (cell ?? "").ReplaceLineEndings(" "))]);
    }

    /// <summary>Writes the table.</summary>
    /// <param name="writer">Where to.</param>
    public void WriteTo(TextWriter writer)
    {
        string[] titles = [.. headers.Select(header => header.TrimStart('>'))];
        int[] widths = [.. titles.Select((title, column) => _rows.Select(row => row[column].Length).Append(title.Length).Max())];
        foreach (var row in _rows.Prepend(titles))
        {
            writer.WriteLine(string.Join(Gap, row.Select((cell, column) => headers[column].StartsWith('>') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
        }
    }
}

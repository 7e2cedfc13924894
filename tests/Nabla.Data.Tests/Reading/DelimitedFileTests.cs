using System.Text;
using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class DelimitedFileTests
{
    private static (string[] Columns, DelimitedRecord[] Records) Read(string text, TableFileOptions? options = null, string name = "a.csv")
    {
        using var folder = new TempFolder();
        using var file = DelimitedFile.Open(folder.Write(name, text), options);
        return ([.. file.Columns], [.. file.Records()]);
    }

    private static string Error(string text, TableFileOptions? options = null)
        => Assert.Throws<DataException>(() => Read(text, options)).Message;

    [Fact]
    public void Records_QuotedFields_HoldSeparatorsQuotesAndLines()
    {
        var (columns, records) = Read("a,b\n\"x,1\",\"say \"\"hi\"\"\"\n\"two\nlines\",\"\"\n last , y \r\n");
        Assert.Equal(["a", "b"], columns);
        Assert.Equal([["x,1", "say \"hi\""], ["two\nlines", ""], ["last", "y"]], records.Select(record => record.Fields));
        Assert.Equal([2, 3, 5], records.Select(record => record.Line));
    }

    [Fact]
    public void Records_AnyTable_ComesBackAsWritten()
    {
        // Fields with every character that matters to CSV; the first column is never blank, since a blank line is skipped.
        var field = Gen.OneOf(Gen.Const(','), Gen.Const('"'), Gen.Const('\n'), Gen.Const('\r'), Gen.Const(' '), Gen.Char['a', 'z'], Gen.Const('\u00E9'), Gen.Const('\u4E2D')).Array[0, 6].Select(chars => new string(chars));
        var table = Gen.Select(Gen.Int[1, 4], Gen.Int[0, 6]).SelectMany((columns, rows) => field.Array[columns].Array[rows]);
        table.Sample(rows =>
        {
            var width = rows.Length == 0 ? 1 : rows[0].Length;
            var text = new StringBuilder(string.Join(',', Enumerable.Range(0, width).Select(i => $"c{i}")) + "\n");
            foreach (var row in rows)
            {
                text.Append(string.Join(',', row.Select(value => $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""))).Append('\n');
            }
            var (_, records) = Read(text.ToString());
            return records.Length == rows.Length && records.Zip(rows).All(pair => pair.First.Fields.SequenceEqual(pair.Second));
        }, iter: 300);
    }

    [Theory]
    [InlineData("a,b\n1,2\n3\n", "line 3: expected 2 columns, got 1")]
    [InlineData("a,b\n1,2\n\n\n3,4,5\n", "line 5: expected 2 columns, got 3")]
    [InlineData("a,b\n\"x\ny\",2\n3\n", "line 4: expected 2 columns, got 1")]
    public void Records_Ragged_NamesLineAndCounts(string text, string message)
        => Assert.Contains(message, Error(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("a,b\n\"never closed,2\n3,4\n")]
    [InlineData("a,b\n\"x\"y,2\n")]
    [InlineData("a,b\n1,x\"y\n")]
    public void Records_WrongQuotes_NamesLine(string text)
    {
        var message = Error(text);
        Assert.Contains("line 2", message, StringComparison.Ordinal);
        Assert.Contains("set quoted: false", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_QuotesAsText_AreKept()
    {
        var (_, records) = Read("a\tb\n\"x\t5\" pipe\n", new() { Quoted = false }, "a.tsv");
        Assert.Equal(["\"x", "5\" pipe"], records.Single().Fields);
    }

    [Theory]
    [InlineData(';')]
    [InlineData('|')]
    [InlineData(' ')]
    [InlineData('\t')]
    public void Records_OtherSeparators_DivideFields(char separator)
    {
        var (columns, records) = Read($"a{separator}b\n1{separator}\"x{separator}y\"\n", new() { Separator = separator });
        Assert.Equal(["a", "b"], columns);
        Assert.Equal(["1", $"x{separator}y"], records.Single().Fields);
    }

    [Fact]
    public void Open_WithoutHeader_NumbersTheColumns()
    {
        var (columns, records) = Read("1,2\n3,4\n", new() { HasHeader = false });
        Assert.Equal(["column 1", "column 2"], columns);
        Assert.Equal(2, records.Length);
    }

    [Fact]
    public void Open_GivenNames_ReplaceTheHeader()
        => Assert.Equal(["x", "y"], Read("a,b\n1,2\n", new() { ColumnNames = ["x", "y"] }).Columns);

    [Fact]
    public void Open_OtherNumberOfNames_SaysBoth()
        => Assert.Contains("expected 3 columns (x, y, z), got 2", Error("a,b\n1,2\n", new() { ColumnNames = ["x", "y", "z"] }), StringComparison.Ordinal);

    [Fact]
    public void Open_RepeatedAndEmptyNames_AreMadeDifferent()
        => Assert.Equal(["a", "a.1", "column 3", "a.2"], Read("a,a,,a\n1,2,3,4\n").Columns);

    [Fact]
    public void Open_ByteOrderMark_IsNoPartOfTheFirstName()
        => Assert.Equal(["a", "b"], Read("\uFEFFa,b\n1,2\n").Columns);

    [Fact]
    public void Open_Empty_SaysSo() => Assert.Contains("got an empty file", Error(""), StringComparison.Ordinal);

    [Fact]
    public void Open_NoFile_SaysWhichAndWhereItLooked()
    {
        var error = Assert.Throws<DataException>(() => DelimitedFile.Open("no/such.csv"));
        Assert.Contains("no/such.csv: there is no such file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Folder_SaysSo()
    {
        using var folder = new TempFolder();
        Assert.Contains("expected a file, got a folder", Assert.Throws<DataException>(() => DelimitedFile.Open(folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_Latin1_NamesLineAndColumn()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.csv", [.. "a,b\n1,caf"u8, 0xE9, (byte)'\n']);
        var error = Assert.Throws<DataException>(() => { using var file = DelimitedFile.Open(path); _ = file.Records().Count(); });
        Assert.Contains("line 2, column 2: expected UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_TruncatedGzip_NamesTheFile()
    {
        using var folder = new TempFolder();
        var packed = TempFolder.Gzip(Encoding.UTF8.GetBytes("a,b\n" + string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i},{i * i}\n"))));
        var path = folder.Write("a.csv.gz", packed[..(packed.Length / 2)]);
        var error = Assert.Throws<DataException>(() => TableFile.Read(path));
        Assert.StartsWith(path + ": the gzip data is cut off", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_WrongOptions_ListsAll()
    {
        var error = Assert.Throws<OptionsException>(() => new TableFileOptions { Separator = '\n', Format = "xls", ColumnNames = ["a", "a"] }.Validate());
        Assert.Equal(3, error.Problems.Count);
    }
}

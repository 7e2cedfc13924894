using Nabla.Core;
using Parquet;
using Parquet.Schema;

namespace Nabla.Data.Tests;

public class TableFileTests
{
    private static Table Read(string text, TableFileOptions? options = null, string name = "a.csv")
    {
        using var folder = new TempFolder();
        return TableFile.Read(folder.Write(name, text), options);
    }

    [Fact]
    public void Read_MissingValues_AreNaNAndNull()
    {
        var table = Read("n,c,m\n1,red,\n?,NA,NA\nnan,blue,\n-2.5e3,,?\n");
        Assert.Equal([1, double.NaN, double.NaN, -2500], ((NumberColumn)table["n"]).Values);
        Assert.Equal(["red", null, "blue", null], ((CategoryColumn)table["c"]).Values);
        Assert.Equal(4, table["m"].MissingCount);
        Assert.Equal(ColumnKind.Number, table["m"].Kind);
    }

    [Fact]
    public void Read_DeclaredKinds_AreKept()
    {
        var table = Read("code,x\n007,1\n12,2\n", new() { Kinds = new Dictionary<string, ColumnKind> { ["code"] = ColumnKind.Category } });
        Assert.Equal(["007", "12"], ((CategoryColumn)table["code"]).Values);
    }

    [Fact]
    public void Read_TextInADeclaredNumberColumn_NamesLineColumnAndValue()
    {
        var error = Assert.Throws<DataException>(() => Read("a,b\n1,2\nx,3\n", new() { Kinds = new Dictionary<string, ColumnKind> { ["a"] = ColumnKind.Number } }));
        Assert.Contains("line 3: column 'a' holds numbers, got 'x'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1e999")]
    [InlineData("Infinity")]
    public void Read_InfiniteNumber_IsRefused(string value)
        => Assert.Contains("which is not finite", Assert.Throws<DataException>(() => Read($"a\n1\n{value}\n")).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_UnknownColumn_SuggestsTheNearest()
        => Assert.Contains("Did you mean 'height'?", Assert.Throws<DataException>(() => Read("height,width\n1,2\n")["heigth"]).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_UnknownFormat_ListsThem()
        => Assert.Contains(".parquet", Assert.Throws<DataException>(() => Read("a", null, "a.xlsx")).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_JsonLines_TakesKeysAsColumns()
    {
        var table = Read("{\"x\": 1.5, \"kind\": \"a\", \"ok\": true}\n\n{\"kind\": null, \"x\": null, \"ok\": false}\n", name: "a.jsonl");
        Assert.Equal(["x", "kind", "ok"], table.Names);
        Assert.Equal([1.5, double.NaN], ((NumberColumn)table["x"]).Values);
        Assert.Equal(["a", null], ((CategoryColumn)table["kind"]).Values);
        Assert.EndsWith("line 3", table.Place(1), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"a\": 1}\n{\"a\": \n", "line 2: expected one JSON object")]
    [InlineData("{\"a\": 1}\n[1]\n", "line 2: expected a JSON object, got Array")]
    [InlineData("{\"a\": 1}\n{\"b\": 1}\n", "line 2: key 'b' is not among the columns of the first line (a)")]
    [InlineData("{\"a\": [1]}\n", "line 1: key 'a' holds Array")]
    [InlineData("", "got an empty file")]
    public void Read_WrongJsonLines_NamesTheLine(string text, string message)
        => Assert.Contains(message, Assert.Throws<DataException>(() => Read(text, name: "a.jsonl")).Message, StringComparison.Ordinal);

    [Fact]
    public async Task JsonLines_ReadAsync_GivesTheSameAsRead()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.jsonl", "{\"a\": 1}\n\n{\"a\": 2}\n");
        var lines = new List<long>();
        await foreach (var line in JsonLines.ReadAsync(path, TestContext.Current.CancellationToken))
        {
            lines.Add(line.Line);
        }
        Assert.Equal(JsonLines.Read(path).Select(line => line.Line), lines);
        Assert.Equal([1, 3], lines);
    }

    [Fact]
    public async Task Read_Parquet_GivesNumbersTextAndMissingOverAllRowGroups()
    {
        using var folder = new TempFolder();
        var path = await WriteParquetAsync(folder);
        var table = await TableFile.ReadAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["id", "price", "name", "flag"], table.Names);
        Assert.Equal([1, 2, 3], ((NumberColumn)table["id"]).Values);
        Assert.Equal([1.5, double.NaN, -2], ((NumberColumn)table["price"]).Values);
        Assert.Equal(["x", null, "z"], ((CategoryColumn)table["name"]).Values);
        Assert.Equal([1, 0, 1], ((NumberColumn)table["flag"]).Values);
        Assert.Equal(["1", "2", "3"], ((CategoryColumn)TableFile.Read(path, new() { Kinds = new Dictionary<string, ColumnKind> { ["id"] = ColumnKind.Category } })["id"]).Values);
    }

    [Fact]
    public async Task Read_DamagedParquet_NamesTheFile()
    {
        using var folder = new TempFolder();
        var whole = await File.ReadAllBytesAsync(await WriteParquetAsync(folder), TestContext.Current.CancellationToken);
        foreach (var length in new[] { 0, 3, 8, whole.Length / 2, whole.Length - 1 })
        {
            var path = folder.Write("b.parquet", whole[..length]);
            var error = Assert.Throws<DataException>(() => TableFile.Read(path));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void PlainText_NotUtf8_NamesLineAndByte()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", [.. "one\ntwo "u8, 0xFF, .. "three"u8]);
        var error = Assert.Throws<DataException>(() => PlainText.Read(path));
        Assert.Contains("a.txt, line 2: expected UTF-8 text, got 0xFF at byte 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PlainText_ByteOrderMarkAndLineEnds_AreHandled()
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.txt", "\uFEFFone\r\ntwo\n\nfour");
        Assert.StartsWith("one", PlainText.Read(path), StringComparison.Ordinal);
        Assert.Equal(["one", "two", "", "four"], PlainText.ReadLines(path));
        Assert.Equal(["one", "two", "four"], PlainText.ReadLines(path, skipBlank: true));
    }

    private static async Task<string> WriteParquetAsync(TempFolder folder)
    {
        var path = System.IO.Path.Combine(folder.Path, "a.parquet");
        var schema = new ParquetSchema(new DataField<int>("id"), new DataField<double?>("price"), new DataField<string>("name"), new DataField<bool>("flag"));
        await using var output = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(schema, output);
        await WriteGroupAsync(writer, schema, [1, 2], [1.5, null], ["x", null], [true, false]);
        await WriteGroupAsync(writer, schema, [3], [-2], ["z"], [true]);
        return path;
    }

    private static async Task WriteGroupAsync(ParquetWriter writer, ParquetSchema schema, int[] ids, double?[] prices, string?[] names, bool[] flags)
    {
        using var group = writer.CreateRowGroup();
        var fields = schema.DataFields;
        await group.WriteAsync<int>(fields[0], ids.AsMemory());
        await group.WriteAsync<double>(fields[1], prices.AsMemory());
        await group.WriteAsync(fields[2], names!);
        await group.WriteAsync<bool>(fields[3], flags.AsMemory());
        group.CompleteValidate();
    }
}

using Nabla.Core;

namespace Nabla.Data.Tests;

/// <summary>Files that users bring.</summary>
public class UserDataTests
{
    [Fact]
    public void TabularRead_TextTarget_IsClassification()
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.csv", "x,y\n1,a\n2,b\n3,a\n");
        using var data = TabularData.Read(path, "y", testPath: folder.Write("test.csv", "x,y\n4,a\n"));
        Assert.True(data.IsClassification);
        Assert.Equal((3, 1), (data.Counts["train"], data.Counts["test"]));
        Assert.Equal("my.csv", data.Name);
        Assert.Equal(FileHash.ContentHash(path, Path.Combine(folder.Path, "test.csv")), data.ContentHash);
    }

    [Fact]
    public void TabularRead_NumberTarget_IsRegressionUnlessSaid()
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.csv", "x,y\n1,0\n2,1\n");
        Assert.Equal(DataTask.TabularRegression, TabularData.Read(path, "y").Task);
        Assert.Equal(DataTask.TabularClassification, TabularData.Read(path, "y", isClassification: true).Task);
    }

    [Fact]
    public void TabularRead_WrongNames_SuggestTheNearest()
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.csv", "height,price\n1,2\n");
        Assert.Contains("there is no column 'prize'. Did you mean 'price'?", Assert.Throws<DataException>(() => TabularData.Read(path, "prize")).Message, StringComparison.Ordinal);
        var kinds = new TableFileOptions { Kinds = new Dictionary<string, ColumnKind> { ["hight"] = ColumnKind.Number } };
        Assert.Contains("there is no column 'hight'", Assert.Throws<DataException>(() => TabularData.Read(path, "price", options: kinds)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TabularRead_HeaderOnly_SaysSo()
    {
        using var folder = new TempFolder();
        Assert.Contains("got a header only", Assert.Throws<DataException>(() => TabularData.Read(folder.Write("my.csv", "x,y\n"), "y")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HoldOut_ByColumns_FollowsThem()
    {
        using var folder = new TempFolder();
        var rows = string.Concat(Enumerable.Range(0, 40).Select(i => $"{i % 8},2024-01-{1 + ((i * 7) % 28):00},{i % 3}\n"));
        using var data = TabularData.Read(folder.Write("my.csv", "patient,day,y\n" + rows), "y", isClassification: true);

        using var grouped = data.HoldOut(new() { Validation = 0.25, Strategy = "group", Column = "patient" });
        Assert.Empty(((NumberColumn)grouped.Train["patient"]).Values.Intersect(((NumberColumn)grouped.Validation!["patient"]).Values));

        using var timed = data.HoldOut(new() { Test = 0.25, Strategy = "time", Column = "day" });
        Assert.True(string.CompareOrdinal(((CategoryColumn)timed.Train["day"]).Values.Max(), ((CategoryColumn)timed.Test!["day"]).Values.Min()) < 0);

        Assert.Contains("there is no column 'dya'", Assert.Throws<DataException>(() => data.HoldOut(new() { Test = 0.25, Strategy = "time", Column = "dya" })).Message, StringComparison.Ordinal);
        Assert.Throws<OptionsException>(() => data.HoldOut(new() { Validation = 0.25, Strategy = "group" }));
        Assert.Throws<OptionsException>(() => data.HoldOut(new() { Validation = 0.6, Test = 0.4 }));
    }

    [Fact]
    public void HoldOut_TimesThatAreNone_NamesTheRow()
    {
        using var folder = new TempFolder();
        using var data = TabularData.Read(folder.Write("my.csv", "t,y\n2024-01-01,1\nsoon,2\n"), "y");
        Assert.Contains("row 2: column 't' holds times to split by, got 'soon'", Assert.Throws<DataException>(() => data.HoldOut(new() { Test = 0.5, Strategy = "time", Column = "t" })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextClassificationRead_JsonLines_MakesSortedClasses()
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.jsonl", "{\"text\": \"NA\", \"label\": \"spam\"}\n{\"text\": \"12\", \"label\": \"ham\"}\n");
        using var data = TextClassificationData.Read(path, "text", "label");
        Assert.Equal(["ham", "spam"], data.Classes);
        Assert.Equal(["NA", "12"], data.Train.Texts);
        Assert.Equal([1, 0], data.Train.Labels);
    }

    [Fact]
    public void TextClassificationRead_LabelOnlyInTest_NamesThePlace()
    {
        using var folder = new TempFolder();
        var train = folder.Write("train.tsv", "text\tlabel\na\t0\nb\t1\n");
        var test = folder.Write("test.tsv", "text\tlabel\nc\t2\n");
        var error = Assert.Throws<DataException>(() => TextClassificationData.Read(train, "text", "label", testPath: test));
        Assert.Contains("test.tsv, line 2: label '2' was never seen in training. Did you mean", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text,label\na,x\nb,x\n", "holds one class only, 'x'")]
    [InlineData("text,label\na,\n", "line 2: column 'label' has no value")]
    [InlineData("text,label\n", "expected labelled texts, got none")]
    [InlineData("text,lable\na,x\n", "there is no column 'label'. Did you mean 'lable'?")]
    public void TextClassificationRead_Unusable_SaysWhy(string content, string message)
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.csv", content);
        Assert.Contains(message, Assert.Throws<DataException>(() => TextClassificationData.Read(path, "text", "label")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TextAndLines_Empty_SaySo()
    {
        using var folder = new TempFolder();
        var path = folder.Write("my.txt", "\n");
        Assert.Contains("got an empty file", Assert.Throws<DataException>(() => LineData.Read(path)).Message, StringComparison.Ordinal);
        Assert.Contains("got an empty file", Assert.Throws<DataException>(() => TextData.Read(folder.Write("none.txt", ""))).Message, StringComparison.Ordinal);
        Assert.Contains("leave none", Assert.Throws<DataException>(() => TextData.Read(folder.Write("two.txt", "ab")).HoldOut(new() { Validation = 0.4, Test = 0.4 })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Info_OfUserData_DescribesColumns()
    {
        using var folder = new TempFolder();
        using var data = TabularData.Read(folder.Write("my.csv", "x,c,y\n1,a,p\n,a,q\n3,b,p\n"), "y");
        var info = DataSetInfo.Of(data);
        Assert.Equal([new("x", ColumnKind.Number, 1, 2), new("c", ColumnKind.Category, 0, 2), new("y", ColumnKind.Category, 0, 2)], info.Columns);
        Assert.Equal([("p", 2L), ("q", 1L)], info.Splits.Single().Labels!.Select(label => (label.Key, label.Value)));
    }
}

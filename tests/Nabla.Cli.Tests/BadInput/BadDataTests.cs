using System.IO.Compression;
using System.Text;

namespace Nabla.Cli.Tests.BadInput;

/// <summary>Data files that are cut off, damaged, changed, ragged, empty, or do not fit together.</summary>
public sealed class BadDataTests : BadInputTest
{
    private const string Rest = "target: kind}\n";

    [Fact]
    public async Task RaggedRow_NamesFileAndLine()
    {
        Write("rows.csv", Rows() + "1.5,red\n");

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', " + Rest), ExitCode.Failed, "data-invalid", At("rows.csv"), "line 62", "expected 3 columns, got 2", "quoted");
        AssertNothingLeft();
    }

    [Fact]
    public async Task LabelNeverSeenInTraining_NamesLineAndTheLabelsThereAre()
    {
        Write("rows.csv", Rows());
        Write("test.csv", Rows(10) + "1.5,red,hgue\n");

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', test_path: '@/test.csv', " + Rest), ExitCode.Failed, "data-invalid", At("test.csv"), "line 12", "'hgue'", "never seen in training", "big, small");
        AssertNothingLeft();
    }

    [Fact]
    public async Task LabelMissing_NamesTheLine()
    {
        Write("rows.csv", Rows() + "1.5,red,\n");

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', " + Rest), ExitCode.Failed, "data-invalid", "rows.csv, line 62", "'kind' is missing", "Leave the row out");
        AssertNothingLeft();
    }

    [Fact]
    public async Task NaNInTheInputs_IsFilledAndSaid()
    {
        Write("rows.csv", Rows() + "NaN,red,small\nnan,blue,big\n");

        var outcome = await TrainAsync(Table + "data: {path: '@/rows.csv', validation: 0, test: 0, " + Rest);

        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains("Of 62 training rows some have no number (or NaN) in 'size' (2); filled by data.filling: median.", outcome.Error, StringComparison.Ordinal);
        Assert.True(double.IsFinite(outcome.Json.GetProperty("metrics").GetProperty("train/loss").GetDouble()));
    }

    [Theory]
    [InlineData("NaN", "the target 'size' is missing")]
    [InlineData("Infinity", "'Infinity', which is not finite")]
    [InlineData("large", "'large'")]
    public async Task TargetThatIsNoNumber_NamesTheLine(string value, string said)
    {
        Write("rows.csv", Rows() + value + ",red,small\n");
        var recipe = Table.Replace("classification", "regression", StringComparison.Ordinal) + "data: {path: '@/rows.csv', target: size}\n";

        AssertRefused(await TrainAsync(recipe), ExitCode.Failed, "data-invalid", "rows.csv", said);
        AssertNothingLeft();
    }

    [Theory]
    [InlineData("", "expected a table, got an empty file")]
    [InlineData("size,colour,kind\n", "expected rows to train on, got a header only")]
    [InlineData("size,colour\n1,red\n", "kind")]
    public async Task EmptyOrUnfitTable_SaysWhatIsThere(string content, string said)
    {
        Write("rows.csv", content);

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', " + Rest), ExitCode.Failed, "data-invalid", At("rows.csv"), said);
        AssertNothingLeft();
    }

    [Fact]
    public async Task MissingFile_SaysWhereItWasLookedFor()
    {
        AssertRefused(await TrainAsync(Table + "data: {path: '@/none.csv', " + Rest), ExitCode.Failed, "data-invalid", At("none.csv"), "there is no such file", "relative paths start at");
        AssertNothingLeft();
    }

    [Fact]
    public async Task ClassWithOneExample_NamesClassAndRow()
    {
        Write("rows.csv", Rows() + "1.5,red,rare\n");

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', " + Rest), ExitCode.Failed, "data-invalid", "rows.csv", "class 'rare' has 1 example (row 61)", "random split");
        AssertNothingLeft();
    }

    [Fact]
    public async Task ClassWithOneExample_ThatIsTrainedOn_IsWarnedOf()
    {
        Write("rows.csv", Rows() + "1.5,red,rare\n");

        var outcome = await TrainAsync(Table + "data: {path: '@/rows.csv', validation: 0, test: 0, " + Rest);

        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.Contains("Class 'rare' has 1 training example;", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ValidationSplitOfZeroRows_SaysTheNumbers()
    {
        Write("rows.csv", Rows());

        AssertRefused(await TrainAsync(Table + "data: {path: '@/rows.csv', validation: 0.001, " + Rest), ExitCode.Failed, "data-invalid", "rows.csv", "0.001 for validation", "give 0 and 12 rows", "Use other shares or more rows");
        AssertNothingLeft();
    }

    [Fact]
    public async Task NoValidationSplit_ButEarlyStoppingByIt_IsFoundBeforeTheFirstBatch()
    {
        Write("rows.csv", Rows());

        AssertRefused(
            await TrainAsync(Table + "data: {path: '@/rows.csv', validation: 0, " + Rest, "--set", "training.early_stopping={monitor: validation/loss}"),
            ExitCode.Failed, "training-failed", "Training cannot start", "'validation/loss' is not measured", "set data.validation");
        AssertNothingLeft();
    }

    [Theory]
    [InlineData("rows.csv.gz")]
    [InlineData("rows.parquet")]
    [InlineData("rows.jsonl")]
    public async Task TruncatedFile_SaysThatItEndsTooSoon(string name)
    {
        var whole = name switch
        {
            "rows.csv.gz" => Gzip(Rows(2000)),
            "rows.jsonl" => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"size\": 1.5, \"colour\": \"red\", \"kind\": \"big\"}\n", 40))),
            _ => [.. "PAR1"u8, .. new byte[200]],
        };
        Write(name, whole[..^15]);

        AssertRefused(await TrainAsync(Table + $"data: {{path: '@/{name}', " + Rest), ExitCode.Failed, "data-invalid", At(name));
        AssertNothingLeft();
    }

    [Fact]
    public async Task TextThatIsNotUtf8_NamesTheFile()
    {
        Write("text.txt", [.. Encoding.UTF8.GetBytes(new string('a', 500)), 0xff, 0xfe, .. Encoding.UTF8.GetBytes(new string('b', 500))]);

        AssertRefused(await TrainAsync("name: bad\ntask: language-modeling\ndata: {path: '@/text.txt', context: 8}\nmodel: {family: gpt, features: 8, layers: 1, heads: 1}\n"), ExitCode.Failed, "data-invalid", At("text.txt"), "UTF-8");
        AssertNothingLeft();
    }

    [Theory]
    [InlineData(100)]
    [InlineData(null)]
    public async Task CataloguedFile_TruncatedOrChanged_SaysBothHashes(int? keep)
    {
        var rows = string.Concat(Enumerable.Repeat("5.1,3.5,1.4,0.2,Iris-setosa\n", 150));
        Write("data/iris/iris.csv", keep is { } length ? rows[..length] : rows);
        Write("data/iris/iris.names", "");

        var outcome = await NablaProcess.EndAsync(NablaProcess.Start([NablaProcess.Program, "train", "iris", "--json", "--out", Runs], ("NABLA_DATA", At("data"))));

        AssertRefused(outcome, ExitCode.Failed, "data-invalid", Path.Combine("iris", "iris.csv"), "expected SHA-256 f5d0c11e", "(4549 bytes)", $"({keep ?? rows.Length} bytes)", "nabla data pull iris");
        AssertNothingLeft();
    }

    [Fact]
    public async Task CataloguedSet_ThatIsNotThere_SaysHowToGetIt()
    {
        var outcome = await NablaProcess.EndAsync(NablaProcess.Start([NablaProcess.Program, "train", "iris", "--json", "--out", Runs], ("NABLA_DATA", At("data"))));

        AssertRefused(outcome, ExitCode.Failed, "data-invalid", "Data set 'iris'", "found no such file", "nabla data pull iris", "NABLA_DATA");
        AssertNothingLeft();
    }

    private static byte[] Gzip(string text)
    {
        using MemoryStream memory = new();
        using (GZipStream gzip = new(memory, CompressionLevel.Optimal))
        {
            gzip.Write(Encoding.UTF8.GetBytes(text));
        }
        return memory.ToArray();
    }
}

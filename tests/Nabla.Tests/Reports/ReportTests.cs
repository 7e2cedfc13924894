namespace Nabla.Tests;

public sealed class ReportTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nabla-report-");

    [Fact]
    public void Report_WithNothingButATitle_IsAPage()
    {
        var html = ReportWriter.ToHtml(new() { Title = "empty", Task = "image-classification" });
        Assert.StartsWith("<!doctype html>", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<section", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_OfEmptyCurvesAndMatrix_SaysSo()
    {
        var html = ReportWriter.ToHtml(new()
        {
            Title = "x",
            Task = "t",
            Curves = [new("train/loss", []), new("train/accuracy", [new(1, 1, double.NaN)])],
            Confusion = new(["a", "b"], [[0, 0], [0, 0]]),
            Residuals = new() { Target = "y", Actual = [double.NaN], Predicted = [1] },
        });
        Assert.Contains("No values were logged.", html, StringComparison.Ordinal);
        Assert.Contains("All 1 logged values are NaN or infinite.", html, StringComparison.Ordinal);
        Assert.Contains("No examples were counted.", html, StringComparison.Ordinal);
        Assert.Contains("No pair of finite values.", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Report_NamesNoOtherAddress_AndForbidsThem()
    {
        var html = ReportWriter.ToHtml(SampleReports.Classification());
        Assert.DoesNotContain("http://", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("https://", html, StringComparison.Ordinal);
        Assert.DoesNotContain(" style=\"", html, StringComparison.Ordinal);   // the policy forbids it
        Assert.Contains("default-src &#39;none&#39;".Replace("&#39;", "'", StringComparison.Ordinal), html, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_OfAReport_ComesBackTheSame()
    {
        var data = SampleReports.Regression() with { Samples = SampleReports.Classification().Samples };
        var path = Path.Combine(_folder.FullName, "report.json");

        ReportWriter.WriteJson(data, path);
        var back = ReportWriter.ReadJson(path);

        Assert.Equal(ReportWriter.ToHtml(data), ReportWriter.ToHtml(back));
        Assert.Equal(["report.json"], _folder.EnumerateFiles().Select(file => file.Name));
    }

    [Theory]
    [InlineData("{ \"title\": ")]
    [InlineData("null")]
    [InlineData("{ \"title\": \"x\", \"task\": \"t\", \"formatVersion\": 9 }")]
    public void Json_ThatIsNoReport_IsRefusedWithItsPath(string text)
    {
        var path = Path.Combine(_folder.FullName, "report.json");
        File.WriteAllText(path, text);
        Assert.StartsWith(path, Assert.Throws<Core.CheckpointException>(() => ReportWriter.ReadJson(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Matrix_OfUnequalRows_IsRefused()
    {
        var error = Assert.Throws<Core.OptionsException>(() => ReportWriter.ToHtml(new() { Title = "x", Task = "t", Confusion = new(["a", "b"], [[1], [1, 2]]) }));
        Assert.Contains("must have 2 columns", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_OfAMatrix_AreThoseOfTheDefinition()
    {
        var scores = new ReportConfusion(["a", "b", "c"], [[8, 2, 0], [1, 4, 0], [0, 0, 0]]).Scores();
        Assert.Equal(new ReportClassScore("a", 8 / 9.0, 0.8, 16 / 19.0, 10), scores[0]);
        Assert.Equal(new ReportClassScore("b", 4 / 6.0, 0.8, 8 / 11.0, 5), scores[1]);
        Assert.True(double.IsNaN(scores[2].Precision) && double.IsNaN(scores[2].Recall) && double.IsNaN(scores[2].F1));
    }

    [Fact]
    public void Interval_OfNineInTen_IsWilsons()
    {
        // Wilson's interval of 9 of 10, as statsmodels' proportion_confint(9, 10, method="wilson") gives it.
        var (low, high) = ReportVerdict.Interval(9, 10);
        Assert.Equal(0.5958499732, low, 9);
        Assert.Equal(0.9821237869, high, 9);
    }

    [Fact]
    public void Verdict_OfAClassification_ComparesWithTheMostFrequentClass() => Assert.Equal(
        "Right on 12 of 15 test examples, 80.00 % (95 % interval 54.8 to 93.0 %). Always answering \u201ca\u201d would give 66.7 %.",
        ReportVerdict.Of(new() { Title = "x", Task = "t", Confusion = new(["a", "b"], [[8, 2], [1, 4]]) }));

    [Fact]
    public void Findings_OfAnOverfittedRun_NameIt()
    {
        var data = Run(train: [2, 1, 0.5, 0.2, 0.1], validation: [2, 1.2, 1.0, 1.3, 1.6]);
        var finding = Assert.Single(ReportFindings.Of(data));
        Assert.Equal(("Overfitting", ReportSeverity.Warning), (finding.Title, finding.Severity));
        Assert.Contains("best at step 3 (1.000) and rose to 1.600", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Findings_OfAHealthyRun_AreNone() => Assert.Empty(ReportFindings.Of(Run([2, 1, 0.8, 0.7, 0.69], [2, 1.1, 0.9, 0.85, 0.851])));

    [Fact]
    public void Findings_OfARunCutShort_AskForMoreEpochs() => Assert.Equal("Still improving", Assert.Single(ReportFindings.Of(Run([3, 2, 1], [3, 2, 1.5]))).Title);

    [Fact]
    public void Findings_OfUnbalancedAndUselessModel_ComeGravestFirst()
    {
        ReportData data = new()
        {
            Title = "x",
            Task = "t",
            Confusion = new(["a", "b"], [[180, 0], [20, 0]]),
            DataCard = new() { Name = "d", Splits = [new("train", 1000, [new("a", 900), new("b", 100)])] },
        };
        Assert.Equal(["No better than guessing", "Unbalanced classes"], ReportFindings.Of(data).Select(finding => finding.Title));
    }

    [Fact]
    public void Page_OfManyClasses_ShowsTheOnesWithMistakes()
    {
        var names = Enumerable.Range(0, 100).Select(i => $"class {i}").ToArray();
        var counts = names.Select((_, i) => names.Select((_, j) => i == j ? 5L : i == 70 && j == 71 ? 3 : 0).ToArray()).ToArray();
        var html = ReportWriter.ToHtml(new() { Title = "x", Task = "t", Confusion = new(names, counts) });
        Assert.Contains("The 30 of 100 classes with the most mistakes.", html, StringComparison.Ordinal);
        Assert.Contains("<b>class 70</b> taken for <b>class 71</b>", html, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static ReportData Run(double[] train, double[] validation) => new()
    {
        Title = "x",
        Task = "t",
        Curves = [new("train/loss", [.. train.Select((value, i) => new ReportPoint(i + 1, i + 1, value))]), new("validation/loss", [.. validation.Select((value, i) => new ReportPoint(i + 1, i + 1, value))])],
    };
}

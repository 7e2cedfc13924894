using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Nabla.Benchmarks.Tests;

public sealed class BenchmarkReportTests
{
    [Fact]
    public void Json_HasTheKeysOfTheContract()
    {
        var json = JsonNode.Parse(ReportExamples.Report.ToJson().ToJsonString())!.AsObject();

        Assert.Equal(["machine", "rows"], json.Select(field => field.Key));
        Assert.Equal(
            ("Test <processor>", "bf16", 2, 40.0, 35.0, 250.0),
            ((string)json["machine"]!["processor"]!, (string)json["machine"]!["column"]!, (int)json["machine"]!["threads"]!,
                (double)json["machine"]!["float32_peak_gmac_per_core"]!, (double)json["machine"]!["float32_vector_gmac_per_core"]!, (double)json["machine"]!["bfloat16_peak_gmac_per_core"]!));
        Assert.All(json["rows"]!.AsArray(), row => Assert.Equal(
            ["suite", "workload", "description", "ratio_of", "ratio", "low", "high", "share_of_peak", "seconds", "reference_seconds", "memory_bytes", "reference_memory_bytes", "precision", "value", "unit", "goals", "holds"],
            row!.AsObject().Select(field => field.Key)));
    }

    [Fact]
    public void Json_OfARow_HoldsItsNumbersAndGoals()
    {
        var row = ReportExamples.Gpt.ToJson();

        Assert.Equal(("train", "W6", 4.0, 3.5, 4.5, 0.4), ((string)row["suite"]!, (string)row["workload"]!, (double)row["ratio"]!, (double)row["low"]!, (double)row["high"]!, (double)row["share_of_peak"]!));
        Assert.Equal([true, false], row["goals"]!.AsArray().Select(goal => (bool)goal!["holds"]!));
        Assert.False((bool)row["holds"]!);
        Assert.Null(ReportExamples.Plain.ToJson()["ratio"]);
        Assert.Null(ReportExamples.Plain.ToJson()["holds"]);
    }

    [Fact]
    public void Holds_OnlyWhenEveryMustDoes()
    {
        Assert.False(ReportExamples.Report.Holds);
        Assert.True((ReportExamples.Report with { Rows = [ReportExamples.Gpt with { ShareOfPeak = 0.5 }, ReportExamples.Optimizer, ReportExamples.Plain] }).Holds);
        Assert.False((ReportExamples.Report with { Rows = [ReportExamples.Gpt with { ShareOfPeak = null }] }).Holds); // what was not measured does not hold
    }

    [Fact]
    public void Plot_IsXml_WithEveryRatioAndEscapedNames()
    {
        var svg = XDocument.Parse(ReportExamples.Report.ToSvg());

        var texts = svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value).ToList();
        Assert.Contains("W6", texts);
        Assert.Contains("AdamW direct (time)", texts);
        Assert.Contains("4.00x", texts);
        Assert.DoesNotContain("memory", texts); // no ratio, no bar
        Assert.Contains(texts, text => text.Contains("Test <processor>", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_ThatCannotWork_AreAllNamed()
    {
        var error = Assert.Throws<OptionsException>(() => BenchmarkRunner.Run(new() { Suites = ["trian"], Workloads = ["W66"], Rounds = 0, Precision = "bf16" }));

        Assert.Equal(4, error.Problems.Count);
        Assert.Contains("train", error.Message, StringComparison.Ordinal);
    }
}

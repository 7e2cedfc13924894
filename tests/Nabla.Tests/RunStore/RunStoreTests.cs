namespace Nabla.Tests;

public sealed class RunStoreTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-runs-");

    private RunStore Store => new(_root.FullName);

    [Fact]
    public void List_OfRuns_IsNewestFirstWithBestValues()
    {
        Run("shapes", "2026-03-01T12-00-00Z-4f2a1c", "seed: 1");
        Run("iris", "2026-03-02T12-00-00Z-9b0000", "seed: 1");

        var runs = Store.List();

        Assert.Equal(["iris", "shapes"], runs.Select(run => run.Name));
        var accuracy = runs[1].Metrics.Single(metric => metric.Name == "validation/accuracy");
        Assert.Equal((0.9, 20, 0.8), (accuracy.Best, accuracy.BestStep, accuracy.Last));
        var loss = runs[1].Metrics.Single(metric => metric.Name == "train/loss");
        Assert.Equal((1.0, 20), (loss.Best, loss.BestStep));
        Assert.Equal("test/accuracy", runs[1].MainMetric()!.Name);
        Assert.Equal(("completed", 30, 3, TimeSpan.FromSeconds(41.5)), (runs[1].Status, runs[1].Steps, runs[1].Epochs, runs[1].Duration));
        Assert.All(runs, run => Assert.Null(run.Damage));
    }

    [Fact]
    public void List_OfAnAbsentRoot_IsEmpty() => Assert.Empty(new RunStore(Path.Combine(_root.FullName, "none")).List());

    [Fact]
    public void List_WithForeignAndHalfWrittenFolders_TellsWhatIsWrong()
    {
        Directory.CreateDirectory(Path.Combine(_root.FullName, "foreign", "holiday"));
        Directory.CreateDirectory(Path.Combine(_root.FullName, ".hidden", "x"));
        var half = Run("shapes", "2026-03-01T12-00-00Z-4f2a1c", "seed: 1");
        File.Delete(Path.Combine(half, "recipe.yaml"));
        var bad = Run("shapes", "2026-03-01T13-00-00Z-4f2a1d", "a: [1, 2");
        File.WriteAllText(Path.Combine(bad, "environment.json"), "{ \"device\":");
        File.WriteAllText(Path.Combine(bad, "status.json"), "no");

        var runs = Store.List().ToDictionary(run => run.Id);

        Assert.Equal(3, runs.Count);
        Assert.StartsWith("it holds none of recipe.yaml", runs["holiday"].Damage, StringComparison.Ordinal);
        Assert.Contains("recipe.yaml is missing", runs["2026-03-01T12-00-00Z-4f2a1c"].Damage, StringComparison.Ordinal);
        foreach (var file in new[] { "recipe.yaml", "environment.json", "status.json" })
        {
            Assert.Contains($"{file} cannot be read", runs["2026-03-01T13-00-00Z-4f2a1d"].Damage, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("latest", "b/2026-03-02T12-00-00Z-9b0000")]
    [InlineData("a", "a/2026-03-01T13-00-00Z-4f2aff")]
    [InlineData("a/latest", "a/2026-03-01T13-00-00Z-4f2aff")]
    [InlineData("4f2a1", "a/2026-03-01T12-00-00Z-4f2a1c")]
    [InlineData("9B", "b/2026-03-02T12-00-00Z-9b0000")]
    [InlineData("2026-03-02", "b/2026-03-02T12-00-00Z-9b0000")]
    [InlineData("a/2026-03-01T12", "a/2026-03-01T12-00-00Z-4f2a1c")]
    public void Find_ByReference_GivesTheRun(string reference, string expected)
    {
        Run("a", "2026-03-01T12-00-00Z-4f2a1c", "seed: 1");
        Run("a", "2026-03-01T13-00-00Z-4f2aff", "seed: 1");
        Run("b", "2026-03-02T12-00-00Z-9b0000", "seed: 1");

        Assert.Equal(Path.Combine(_root.FullName, expected), Store.Find(reference));
        Assert.Equal(Path.Combine(_root.FullName, expected), Store.Find(Path.Combine(_root.FullName, expected)));
    }

    [Theory]
    [InlineData("4f2a", "fits 2 runs")]
    [InlineData("shaeps", "Did you mean 'shapes'?")]
    [InlineData("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "There are: shapes/2026-03-01T12-00-00Z-4f2a1c")]
    public void Find_OfNoneOrSeveral_SaysWhatThereIs(string reference, string expected)
    {
        Run("shapes", "2026-03-01T12-00-00Z-4f2a1c", "seed: 1");
        Run("shapes", "2026-03-01T13-00-00Z-4f2aff", "seed: 1");

        var error = Assert.Throws<RunNotFoundException>(() => Store.Find(reference));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal("run-not-found", error.Code);
    }

    [Fact]
    public void Find_InAnEmptyRoot_SaysHowToGetARun() =>
        Assert.Contains("holds no runs. Train one with", Assert.Throws<RunNotFoundException>(() => Store.Find("latest")).Message, StringComparison.Ordinal);

    [Fact]
    public void Show_OfARun_HasSettingsEnvironmentAndWholeCheckpoints()
    {
        var folder = Run("shapes", "2026-03-01T12-00-00Z-4f2a1c", "task: image\ntraining:\n  epochs: 3\n  betas: [0.9, 0.99]\n  steps:\n    - { name: crop }\n    - flip\n");
        foreach (var step in new[] { "9", "10" })
        {
            Directory.CreateDirectory(Path.Combine(folder, "checkpoints", step));
            File.WriteAllText(Path.Combine(folder, "checkpoints", step, "manifest.json"), "{}");
        }
        Directory.CreateDirectory(Path.Combine(folder, "checkpoints", "11"));

        var run = Store.Show("latest");

        Assert.Equal(
            [new("task", "image"), new("training.epochs", "3"), new("training.betas", "[0.9, 0.99]"), new("training.steps[0].name", "crop"), new("training.steps[1]", "flip")],
            run.Settings);
        Assert.Contains(new ReportFact("device", "cpu"), run.Environment);
        Assert.Equal(["9", "10"], run.Checkpoints);
        Assert.True(run.Bytes > 100);
    }

    [Fact]
    public void Compare_OfTwoRuns_KeepsTheDifferencesAndMarksTheBest()
    {
        Run("a", "2026-03-01T12-00-00Z-aaaaaa", "seed: 1\nrate: 0.1\nonly: x\n");
        var second = Run("a", "2026-03-01T13-00-00Z-bbbbbb", "seed: 1\nrate: 0.2\n");
        File.AppendAllText(Path.Combine(second, "metrics.jsonl"), """{"step":40,"epoch":3,"time":"2026-03-01T13:02:00Z","seconds":50,"validation/accuracy":0.95}""" + "\n");

        var comparison = Store.Compare(["aaaaaa", "bbbbbb"]);

        Assert.Equal(["rate", "only"], comparison.Settings.Select(row => row.Key));
        Assert.Equal(["0.1", "0.2"], comparison.Settings[0].Values);
        Assert.Equal(["x", null], comparison.Settings[1].Values);
        Assert.Equal(1, comparison.Metrics.Single(row => row.Name == "validation/accuracy").BestRun);
        Assert.Null(comparison.Metrics.Single(row => row.Name == "test/accuracy").BestRun);   // equal in both
    }

    [Fact]
    public void Report_FromAFolder_HasItsCurvesAndSettings()
    {
        var folder = Run("shapes", "2026-03-01T12-00-00Z-4f2a1c", "seed: 1\n");

        var data = ReportBuilder.Complete(ReportBuilder.FromRun(folder, "image-classification"));

        Assert.Equal(("shapes", "completed", "seed: 1\n"), (data.Title, data.Status, data.Settings));
        Assert.Equal(["test/accuracy", "train/loss", "validation/accuracy"], data.Curves.Select(curve => curve.Name));
        Assert.Equal([0.1, 0.05], data.LearningRate!.Points.Select(point => point.Value));
        Assert.Equal([("test/accuracy", 0.85), ("validation/accuracy", 0.9)], data.Headline.Select(metric => (metric.Name, metric.Value)));
        Assert.Equal(1, data.Curves[1].Points[0].Epoch);
        Assert.Contains("train/loss", ReportWriter.ToHtml(data), StringComparison.Ordinal);
    }

    [Fact]
    public void Report_FromAnotherFolder_IsRefused() => Assert.Throws<RunNotFoundException>(() => ReportBuilder.FromRun(_root.FullName, "t"));

    public void Dispose() => _root.Delete(recursive: true);

    private string Run(string name, string id, string recipe)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_root.FullName, name, id)).FullName;
        File.WriteAllText(Path.Combine(folder, "recipe.yaml"), recipe);
        File.WriteAllText(Path.Combine(folder, "environment.json"), """{ "device": "cpu", "threads": 2 }""");
        File.WriteAllText(Path.Combine(folder, "status.json"), """{ "state": "Completed", "seconds": 41.5, "step": 30, "epoch": 3, "stop_reason": "EpochsCompleted" }""");
        File.WriteAllLines(Path.Combine(folder, "metrics.jsonl"),
        [
            """{"step":10,"epoch":0,"time":"2026-03-01T12:00:01Z","seconds":1,"train/loss":2.0,"validation/accuracy":0.5,"learning-rate":0.1}""",
            """{"step":20,"epoch":1,"time":"2026-03-01T12:00:02Z","seconds":2,"train/loss":1.0,"validation/accuracy":0.9,"learning-rate":0.05}""",
            """{"step":30,"epoch":2,"time":"2026-03-01T12:00:03Z","seconds":3,"train/loss":"NaN","validation/accuracy":0.8,"test/accuracy":0.85}""",
        ]);
        return folder;
    }
}

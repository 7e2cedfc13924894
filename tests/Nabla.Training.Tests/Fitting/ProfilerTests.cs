using System.Text.Json;

namespace Nabla.Training.Tests;

public sealed class ProfilerTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { Epochs = 2, Precision = "float32", Optimizer = new() { LearningRate = 0.05 } };
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("nabla-profile-");

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public void Fit_WithAProfiler_FindsPartsLayersAndOperationsThatAddUp()
    {
        var (report, folder) = Run(new() { WarmupSteps = 2, Steps = 3 });

        Assert.NotNull(report);
        Assert.Equal(3, report.Steps);
        Assert.Equal(1, report.Phases.Sum(phase => phase.Share), 1e-6);
        Assert.Superset(new HashSet<string> { "loader wait", "forward", "backward", "optimizer", "metrics" }, report.Phases.Select(phase => phase.Name).ToHashSet());
        Assert.Equal(["", "dropout", "first", "norm", "second"], report.Layers.Select(layer => layer.Path).Order(StringComparer.Ordinal));
        Assert.All(report.Layers, layer => Assert.Equal(3, layer.Calls));
        var root = report.Layers.Single(layer => layer.Path.Length == 0);
        Assert.True(report.Layers.Sum(layer => layer.SelfMilliseconds) <= root.ForwardMilliseconds + root.BackwardMilliseconds + 1e-6, "own times lie inside the model's");
        Assert.True(root.ForwardMilliseconds <= report.Phases.Single(phase => phase.Name == "forward").Milliseconds);
        Assert.True(root.BackwardMilliseconds <= report.Phases.Single(phase => phase.Name == "backward").Milliseconds + 1e-6);
        Assert.All(report.Layers, layer => Assert.True(layer is { ForwardMilliseconds: > 0, BackwardMilliseconds: > 0, PeakBytes: > 0 }, layer.Path));
        if (OperationProfiler.IsAvailable)
        {
            Assert.Contains(report.Operations, operation => operation.Name == "aten::addmm" && operation.Calls == 6);
            Assert.True(report.Operations.Sum(operation => operation.SelfMilliseconds) <= 1.05 * report.Milliseconds);
        }
        Assert.Equivalent(report, folder.ReadProfile());
    }

    [Fact]
    public void Trace_IsATimelineWhoseLayersLieInTheirPhases()
    {
        var (_, folder) = Run(new() { WarmupSteps = 1, Steps = 2 });

        using var trace = JsonDocument.Parse(File.ReadAllBytes(folder.TracePath));
        var spans = trace.RootElement.GetProperty("traceEvents").EnumerateArray().Where(e => e.GetProperty("ph").GetString() == "X")
            .Select(e => (Name: e.GetProperty("name").GetString()!, Row: e.GetProperty("tid").GetInt32(), Start: e.GetProperty("ts").GetDouble(), End: e.GetProperty("ts").GetDouble() + e.GetProperty("dur").GetDouble()))
            .ToList();
        Assert.Equal(2, spans.Count(span => span.Name == "first"));
        Assert.Equal(2, spans.Count(span => span.Name == "second backward"));
        foreach (var (name, row, start, end) in spans.Where(span => span.Row == 2))
        {
            var phase = name.EndsWith(" backward", StringComparison.Ordinal) ? "backward" : "forward";
            Assert.Contains(spans, span => span.Row == 1 && span.Name == phase && span.Start <= start + 1 && end <= span.End + 1);
        }
        if (OperationProfiler.IsAvailable)
        {
            var addmm = spans.First(span => span.Name == "aten::addmm");
            Assert.Contains(spans, span => span is { Row: 2, Name: "first" } && span.Start <= addmm.Start + 50 && addmm.End <= span.End + 50);
        }
    }

    [Fact]
    public void Fit_WithAProfiler_GivesTheSameBits()
    {
        using var plain = new TinyTask();
        using var profiled = new TinyTask();
        using var data = new TinyData();
        using var profiler = new TrainingProfiler(new() { WarmupSteps = 1, Steps = 4 });

        new Trainer(Options).Fit(plain, data.Loader);
        new Trainer(Options).Fit(profiled, data.Loader, context: new() { Profiler = profiler });

        Assert.NotNull(profiler.Report);
        Assert.Equal(Weights.Sum(plain.Module), Weights.Sum(profiled.Module));
    }

    [Fact]
    public void Fit_ThatEndsEarly_ReportsTheStepsThereWere_OrNone()
    {
        Assert.Equal(9, Run(new() { WarmupSteps = 3, Steps = 50 }).Report!.Steps);
        Assert.Null(Run(new() { WarmupSteps = 50 }).Report);
    }

    private (ProfileReport? Report, RunFolder Folder) Run(ProfileOptions options)
    {
        using var task = new TinyTask();
        using var data = new TinyData(); // 6 batches an epoch
        using var profiler = new TrainingProfiler(options);
        var folder = RunFolder.Create(_root.FullName, "profile");
        new Trainer(Options, null, null, new UnsyncedFiles()).Fit(task, data.Loader, null, new() { Folder = folder, Profiler = profiler });
        return (profiler.Report, folder);
    }
}

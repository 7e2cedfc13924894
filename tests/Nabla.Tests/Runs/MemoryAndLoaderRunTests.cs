using Nabla.Core;
using Nabla.Data;
using Nabla.Training;

namespace Nabla.Tests;

/// <summary>Recomputation, batch size auto, workers, token files, packing and the profiler in whole runs.</summary>
public sealed class MemoryAndLoaderRunTests : IDisposable
{
    private const string Gpt = "model: {family: gpt, features: 16, layers: 2, heads: 2, dropout: 0.1}\n";
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-memory-run-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TokenFile_TrainsAsTheTextItIsOf_WithAnyWorkersAndRecomputation()
    {
        var text = Path.Combine(_folder, "text.txt");
        File.WriteAllText(text, string.Concat(Enumerable.Repeat("abcdefgh ", 60)));
        TokenWriter.WriteText(text, Path.Combine(_folder, "text.tokens"), blocks => CharacterVocabulary.Fit(blocks));
        const string Rest = Gpt + "training: {epochs: 2, batch_size: 8, precision: float32, threads: 1}\nname: text\n";

        var plain = await Train("task: language-modeling\ndata: {path: text.txt, context: 16, workers: 1}\n" + Rest);
        var tokens = await Train("task: language-modeling\ndata: {path: text.tokens, context: 16, workers: 3}\n" + Rest.Replace("dropout: 0.1", "dropout: 0.1, recompute: true", StringComparison.Ordinal));

        Assert.Equal(plain.Metrics["validation/loss"], tokens.Metrics["validation/loss"]);
        Assert.Equal(Weights(plain.Folder), Weights(tokens.Folder));
        using var predictor = Predictor.Open(tokens.Folder);
        Assert.NotEmpty(predictor.Predict(["abc"], new() { MaxTokens = 4, Temperature = 0 })[0].Text!);
    }

    [Fact]
    public async Task Packing_LearnsFromTheSameLines_InFewerRows()
    {
        File.WriteAllText(Path.Combine(_folder, "names.txt"), string.Join('\n', Enumerable.Range(0, 200).Select(i => new string((char)('a' + (i % 5)), 2 + (i % 6)))));
        const string Data = "task: language-modeling\ndata: {path: names.txt, lines: true, context: 32";

        var run = await Train(Data + ", packing: true}\n" + Gpt + "training: {epochs: 8, batch_size: 4, precision: float32, threads: 1, optimizer: {learning_rate: 1e-2}}\nname: names\n");

        Assert.InRange(run.Metrics["validation/loss"], 0, 1.0);
        var problem = await Assert.ThrowsAsync<OptionsException>(() => Train(Data + ", packing: true}\nmodel: {family: lstm}\ntraining: {epochs: 1}\nname: names\n"));
        Assert.Contains("gpt", problem.Message, StringComparison.Ordinal);
        problem = await Assert.ThrowsAsync<OptionsException>(() => Train("task: language-modeling\ndata: {path: names.txt, packing: true, context: 8}\n" + Gpt + "training: {epochs: 1}\nname: names\n"));
        Assert.Contains("lines", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BatchSizeAuto_IsFoundAndStored_AndResumesWithTheNumber()
    {
        const string Recipe = "task: image-classification\ndata: {dataset: shapes, limit: 160}\nmodel: {family: cnn, channels: [8, 8], hidden: [16]}\ntraining: {epochs: 2, batch_size: auto, precision: float32, threads: 1}\nname: auto\n";
        using CancellationTokenSource stop = new();
        Meter meter = new(available: 2_000_000, each: 40_000);

        var part = await Train(Recipe, meter, new StopAt(stop, 2), stop.Token);

        Assert.Equal(StopReason.Interrupted, part.StopReason);
        var stored = await File.ReadAllTextAsync(Path.Combine(part.Folder, "recipe.yaml"), TestContext.Current.CancellationToken);
        var size = int.Parse(System.Text.RegularExpressions.Regex.Match(stored, "batch_size: ([0-9]+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(size, 16, 40);
        var resumed = await TrainingRun.ResumeAsync(part.Folder, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(StopReason.EpochsCompleted, resumed.StopReason);
        Assert.Contains("auto", RecipeWriter.Write(Load(Recipe)), StringComparison.Ordinal);
        var wrong = new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(Recipe.Replace("auto,", "lots,", StringComparison.Ordinal), "recipe.yaml", folder: _folder);
        Assert.Contains(wrong.Findings, finding => finding.Message.Contains("or auto", StringComparison.Ordinal));
        var zero = new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(Recipe.Replace("auto,", "0,", StringComparison.Ordinal), "recipe.yaml", folder: _folder);
        Assert.NotEmpty(zero.Findings);
    }

    [Fact]
    public async Task Profile_IsInTheFolderAndInTheReport()
    {
        var run = await TrainingRun.StartAsync(
            Load("task: image-classification\ndata: {dataset: shapes, limit: 160}\nmodel: {family: resnet, depth: 10, width: 4}\ntraining: {epochs: 1, batch_size: 8, precision: float32, threads: 1}\nname: profiled\n"),
            new() { OutputFolder = Path.Combine(_folder, "runs"), Device = "cpu", Profile = new() { WarmupSteps = 1, Steps = 2 } },
            TestContext.Current.CancellationToken);

        Assert.NotNull(run.Profile);
        Assert.Contains(run.Profile.Layers, layer => layer.Path == "layer2.0.conv1" && layer.BackwardMilliseconds > 0);
        Assert.True(File.Exists(Path.Combine(run.Folder, "trace.json")));
        var page = await File.ReadAllTextAsync(Path.Combine(run.Folder, "report.html"), TestContext.Current.CancellationToken);
        Assert.Contains("Where the time goes", page, StringComparison.Ordinal);
        Assert.Contains("layer2.0.conv1", page, StringComparison.Ordinal);
    }

    private Recipe Load(string recipe) => new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(recipe, "recipe.yaml", folder: _folder).Require();

    private Task<RunResult> Train(string recipe, IMemoryMeter? memory = null, TrainingCallback? callback = null, CancellationToken stop = default)
        => TrainingRun.StartAsync(Load(recipe), new() { OutputFolder = Path.Combine(_folder, "runs"), Device = "cpu", Memory = memory, Callbacks = callback is null ? [] : [callback] }, stop);

    private static byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(run, File.ReadAllText(Path.Combine(run, "last")).Trim(), "model.safetensors"));

    /// <summary>Counts calls as sizes: the search tries 1, 2, 4, ... examples.</summary>
    private sealed class Meter(long available, long each) : IMemoryMeter
    {
        private long _next = 1;

        public long? Available => available;

        public long PeakGrowth(Action action)
        {
            action();
            var growth = each * _next;
            _next *= 2;
            return growth;
        }
    }
}

using System.Globalization;

namespace Nabla.Gpu.Tests;

/// <summary>Whole runs on a GPU.</summary>
[Trait("Needs", "Gpu")]
public sealed class RunTests : IDisposable
{
    private const string Cnn = "task: image-classification\ndata: {dataset: shapes, limit: 2000, augment: [horizontal-flip]}\nmodel: {family: cnn, channels: [16, 32], hidden: [64], dropout: 0.1}\ntraining: {epochs: 2, batch_size: 64, precision: PRECISION, ema_decay: 0.9}\nname: cnn\n";
    private const string ResNet = "task: image-classification\ndata: {dataset: shapes, limit: 2000}\nmodel: {family: resnet, depth: 18, width: 16}\ntraining: {epochs: 2, batch_size: 64, precision: PRECISION}\nname: resnet\n";
    private const string Gpt = "task: language-modeling\ndata: {path: text.txt, context: 128}\nmodel: {family: gpt, features: 128, layers: 3, heads: 4, dropout: 0.2, recompute: false}\ntraining: {epochs: 2, batch_size: 16, precision: PRECISION, ema_decay: 0.9}\nname: gpt\n";
    private const string Lstm = "task: language-modeling\ndata: {path: text.txt, context: 128}\nmodel: {family: lstm, embedding: 64, hidden: 128, layers: 2, dropout: 0.2}\ntraining: {epochs: 2, batch_size: 16, precision: PRECISION}\nname: lstm\n";
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-gpu-").FullName;

    public static TheoryData<string, string> Recipes
    {
        get
        {
            TheoryData<string, string> rows = [];
            foreach (var name in new[] { nameof(Cnn), nameof(ResNet), nameof(Gpt), nameof(Lstm) })
            {
                rows.Add(name, "float32");
                rows.Add(name, "bfloat16-mixed");
            }
            return rows;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("float32"), InlineData("bfloat16-mixed"), InlineData("float16-mixed")]
    public async Task Run_Learns_AndIsEvaluatedAlikeOnTheProcessor(string precision)
    {
        Gpu.Require();
        var run = await Train($"task: image-classification\ndata: {{dataset: shapes, limit: 6000}}\nmodel: {{family: cnn, channels: [16, 32, 64], hidden: [64], dropout: 0.1}}\ntraining: {{epochs: 8, batch_size: 32, precision: {precision}, gradient_clipping: 1, ema_decay: 0.9, optimizer: {{name: adamw, learning_rate: 3e-3}}, schedule: one-cycle}}\nname: gpu\n");

        Assert.InRange(run.Metrics["test/accuracy"], 0.8, 1);
        var there = await RunEvaluation.OnSplitAsync(run.Folder, "test", "cpu");
        Assert.Equal(run.Metrics["test/accuracy"], there.Metrics["test/accuracy"], 0.01);
    }

    [Theory, InlineData(nameof(Cnn)), InlineData(nameof(ResNet)), InlineData(nameof(Gpt)), InlineData(nameof(Lstm))]
    public async Task Run_InFloat32WithoutDropout_FollowsTheProcessorsCurve(string name)
    {
        Gpu.Require();
        WriteText(lines: 100);
        var recipe = Recipe(name).Replace("PRECISION", "float32, max_steps: 8", StringComparison.Ordinal).Replace("dropout: 0.2", "dropout: 0", StringComparison.Ordinal).Replace("dropout: 0.1", "dropout: 0", StringComparison.Ordinal);

        var (there, here) = (await Train(recipe), await Train(recipe, "cpu"));

        Assert.Equal(here.Metrics["validation/loss"], there.Metrics["validation/loss"], 5e-3);
    }

    [Fact]
    public async Task Run_Interrupted_GoesOnOnTheProcessor()
    {
        Gpu.Require();
        var part = await Interrupted("task: image-classification\ndata: {dataset: shapes, limit: 320}\nmodel: {family: cnn, channels: [8, 8], hidden: [16]}\ntraining: {epochs: 2, batch_size: 32, precision: float32}\nname: moved\n", step: 5);

        var resumed = await TrainingRun.ResumeAsync(part.Folder, new() { Device = "cpu" });
        Assert.Equal(StopReason.EpochsCompleted, resumed.StopReason);
    }

    [Theory, MemberData(nameof(Recipes))]
    public async Task Run_InterruptedAndResumed_EndsInTheSameBits(string name, string precision)
    {
        Gpu.Require();
        WriteText();
        var recipe = Recipe(name).Replace("PRECISION", precision, StringComparison.Ordinal);

        var whole = await Train(recipe);
        var part = await Interrupted(recipe, step: 13);
        var resumed = await TrainingRun.ResumeAsync(part.Folder, new() { Device = "cuda" });

        Assert.Equal(StopReason.EpochsCompleted, resumed.StopReason);
        Assert.Equal(Weights(whole.Folder), Weights(resumed.Folder));
        Assert.Equal(whole.Metrics["validation/loss"], resumed.Metrics["validation/loss"]);
    }

    [Fact]
    public async Task Recomputation_ChangesNoBit()
    {
        Gpu.Require();
        WriteText();
        var recipe = Gpt.Replace("PRECISION", "bfloat16-mixed", StringComparison.Ordinal);

        var plain = await Train(recipe);
        var again = await Train(recipe.Replace("recompute: false", "recompute: true", StringComparison.Ordinal));

        Assert.Equal(Weights(plain.Folder), Weights(again.Folder));
    }

    [Fact]
    public async Task Profile_NamesLayersAndTheirTimes()
    {
        Gpu.Require();
        var run = await TrainingRun.StartAsync(Load(ResNet.Replace("PRECISION", "bfloat16-mixed", StringComparison.Ordinal)), Options("cuda") with { Profile = new() { WarmupSteps = 2, Steps = 3 } });

        Assert.Contains(run.Profile!.Layers, layer => layer.Path == "layer2.0.conv1" && layer.BackwardMilliseconds > 0);
    }

    /// <summary>Nearly all memory of the GPU is taken, so that the whole batch cannot fit.</summary>
    [Fact]
    public async Task Batch_BeyondTheMemory_IsMadeToFit()
    {
        var device = Gpu.Require();
        WriteText(lines: 4000);
        const long Left = 3L << 30;
        using var taken = empty([DeviceMemory.Query(device)!.Value.Free - Left], dtype: ScalarType.Byte, device: device);

        foreach (var batchSize in new[] { "512", "auto" })
        {
            var run = await Train($"task: language-modeling\ndata: {{path: text.txt, context: 256}}\nmodel: {{family: gpt, features: 512, layers: 6, heads: 8, dropout: 0}}\ntraining: {{epochs: 1, max_steps: 2, batch_size: {batchSize}, precision: float32}}\nname: large\n");

            Assert.True(double.IsFinite(run.Metrics["validation/loss"]));
            var parts = RunFolder.Open(run.Folder).OpenCheckpoints().OpenNewestGood()!.State.BatchParts;
            Assert.True(batchSize == "auto" ? parts == 1 : parts > 1, $"{parts} parts of a batch of {batchSize}"); // auto finds a size that fits whole
        }
    }

    private static string Recipe(string name) => name switch
    {
        nameof(Cnn) => Cnn,
        nameof(ResNet) => ResNet,
        nameof(Gpt) => Gpt,
        _ => Lstm,
    };

    private void WriteText(int lines = 800)
        => File.WriteAllText(Path.Combine(_folder, "text.txt"), string.Concat(Enumerable.Range(0, lines).Select(i => string.Create(CultureInfo.InvariantCulture, $"line {i} of the text says {i * i}, which is {i} times {i}.\n"))));

    private static byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(run, File.ReadAllText(Path.Combine(run, "last")).Trim(), "model.safetensors"));

    private Recipe Load(string recipe) => new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(recipe, "recipe.yaml", folder: _folder).Require();

    private TrainingRunOptions Options(string device) => new() { OutputFolder = Path.Combine(_folder, "runs"), Device = device };

    private Task<RunResult> Train(string recipe, string device = "cuda") => TrainingRun.StartAsync(Load(recipe), Options(device));

    private async Task<RunResult> Interrupted(string recipe, long step)
    {
        using CancellationTokenSource stop = new();
        var part = await TrainingRun.StartAsync(Load(recipe), Options("cuda") with { Callbacks = [new StopAt(stop, step)] }, stop.Token);
        Assert.Equal(StopReason.Interrupted, part.StopReason);
        return part;
    }
}

using System.Globalization;
using Nabla.Core;
using Nabla.Data;
using Nabla.Training;

namespace Nabla.Tests;

/// <summary>Whole runs on small data of a user, from a recipe text to answers.</summary>
public sealed class TrainingRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nabla-run-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Table_Classified_EvaluatesAsTrainedAndPredicts()
    {
        WriteTable("rows.csv", 300, seed: 1);
        var run = await Train("task: tabular-classification\ndata: {path: rows.csv, target: kind}\nmodel: {family: mlp, hidden: [16]}\ntraining: {epochs: 8, batch_size: 32, precision: float32, threads: 1, optimizer: {name: adamw, learning_rate: 1e-2}}\nname: rows\n");

        Assert.InRange(run.Metrics["test/accuracy"], 0.9, 1);
        Assert.True(File.Exists(Path.Combine(run.Folder, "report.html")));
        var again = await RunEvaluation.OnSplitAsync(run.Folder, "test");
        Assert.Equal(run.Metrics["test/accuracy"], again.Metrics["test/accuracy"]);
        Assert.Equal(run.Metrics["test/loss"], again.Metrics["test/loss"]);

        using var predictor = Predictor.Open(run.Folder);
        var withoutTarget = Path.Combine(_folder, "new.csv");
        File.WriteAllText(withoutTarget, "size,colour\n9.5,red\n0.5,blue\n,never seen\n");
        var predictions = predictor.Predict([withoutTarget]);
        Assert.Equal(["big", "small"], predictions.Take(2).Select(prediction => prediction.Label));
        Assert.All(predictions, prediction => Assert.Equal(1, prediction.Probabilities.Sum(p => p.Probability), 1e-5));
        Assert.Contains("trained on", Assert.Throws<DataException>(() => predictor.Predict(["no such text"])).Message, StringComparison.Ordinal);
        File.WriteAllText(withoutTarget, "sise,colour\n9.5,red\n");
        Assert.Contains("size", Assert.Throws<DataException>(() => predictor.Predict([withoutTarget])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OnChangedData_IsRefusedAsEvidence()
    {
        WriteTable("rows.csv", 120, seed: 1);
        var run = await Train("task: tabular-classification\ndata: {path: rows.csv, target: kind}\nmodel: {family: mlp, hidden: [4]}\ntraining: {epochs: 1, precision: float32}\nname: rows\n");
        WriteTable("rows.csv", 120, seed: 2);

        var error = await Assert.ThrowsAsync<DataException>(() => RunEvaluation.OnSplitAsync(run.Folder));
        Assert.Contains("sha256", error.Message, StringComparison.OrdinalIgnoreCase);
        await Assert.ThrowsAsync<DataException>(() => TrainingRun.ResumeAsync(run.Folder));
        WriteTable("other.csv", 50, seed: 3);
        Assert.Equal(50, (await RunEvaluation.OnDataAsync(run.Folder, Path.Combine(_folder, "other.csv"))).Examples);
    }

    [Fact]
    public async Task Interrupted_ThenResumed_GoesOnWhereItStopped()
    {
        var (whole, resumed) = await TrainWholeAndResumed();

        Assert.Equal(whole.Metrics["test/loss"], resumed.Metrics["test/loss"], 1e-4);
        Assert.Equal(Steps(whole.Folder), Steps(resumed.Folder));
    }

    /// <summary>
    /// The contract, in one process. After other trainings in the process 4 of 10 runs once differed by a rounding; since large tensors lie in
    /// blocks of our own 20 of 20 were equal, but the cause was not found, so this stands behind ./test --all. Across processes KillTests and
    /// eng/kill-resume hold it.
    /// </summary>
    [Fact, Trait("Needs", "Minutes")]
    public async Task Interrupted_ThenResumed_EndsInTheSameBits()
    {
        var (whole, resumed) = await TrainWholeAndResumed();

        Assert.Equal(whole.Metrics["test/loss"], resumed.Metrics["test/loss"]);
        Assert.Equal(Weights(whole.Folder), Weights(resumed.Folder));
    }

    private async Task<(RunResult Whole, RunResult Resumed)> TrainWholeAndResumed()
    {
        const string Recipe = "task: image-classification\ndata: {dataset: shapes, limit: 160, augment: [horizontal-flip]}\nmodel: {family: cnn, channels: [8, 8], hidden: [16], dropout: 0.2}\ntraining: {epochs: 3, batch_size: 16, precision: float32, threads: 1, ema_decay: 0.9}\nname: small\n";
        var whole = await Train(Recipe);
        using CancellationTokenSource stop = new();
        var part = await Train(Recipe, new StopAt(stop, 7), stop.Token);
        Assert.Equal(StopReason.Interrupted, part.StopReason);

        var resumed = await TrainingRun.ResumeAsync(part.Folder);
        return (whole, resumed);
    }

    [Fact]
    public async Task Pictures_OfAFolder_AreLearnedAndNamed()
    {
        foreach (var (name, shade) in new[] { ("dark", 30), ("light", 220) })
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, "pictures", name)).FullName;
            for (var i = 0; i < 30; i++)
            {
                var random = RandomStream.At(i, RandomPurpose.Other, shade);
                var pixels = Enumerable.Range(0, 3 * 12 * 10).Select(_ => (byte)(shade + random.NextInt(-25, 25))).ToArray();
                File.WriteAllBytes(Path.Combine(folder, $"{i}.png"), PngFile.Encode(pixels, 3, 12, 10));
            }
        }
        var run = await Train("task: image-classification\ndata: {path: pictures}\nmodel: {family: cnn, channels: [4, 8], hidden: [8]}\ntraining: {epochs: 6, batch_size: 8, precision: float32}\nname: shades\n");

        using var predictor = Predictor.Open(run.Folder);
        var predictions = predictor.Predict([Path.Combine(_folder, "pictures", "light", "3.png"), Path.Combine(_folder, "pictures", "dark")]);
        Assert.Equal(31, predictions.Count);
        Assert.Equal("light", predictions[0].Label);
        Assert.All(predictions.Skip(1), prediction => Assert.Equal("dark", prediction.Label));
        Assert.Equal(1, (await RunEvaluation.OnDataAsync(run.Folder, Path.Combine(_folder, "pictures"))).Metrics["test/accuracy"]);
        File.WriteAllBytes(Path.Combine(_folder, "broken.png"), [1, 2, 3]);
        Assert.Contains("broken.png", Assert.Throws<DataException>(() => predictor.Predict([Path.Combine(_folder, "broken.png")])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Text_IsModelled_AndContinued()
    {
        File.WriteAllText(Path.Combine(_folder, "text.txt"), string.Concat(Enumerable.Repeat("abcdefgh ", 300)));
        var run = await Train("task: language-modeling\ndata: {path: text.txt, context: 16}\nmodel: {family: gpt, features: 32, layers: 1, heads: 2}\ntraining: {epochs: 12, batch_size: 8, precision: float32, optimizer: {name: adamw, learning_rate: 1e-2}}\nname: text\n");

        Assert.InRange(run.Metrics["validation/loss"], 0, 0.5);
        using var predictor = Predictor.Open(run.Folder);
        Assert.StartsWith("efgh abcd", predictor.Predict(["abcd"], new() { MaxTokens = 12, Temperature = 0 })[0].Text, StringComparison.Ordinal);
        Assert.Contains("trained on", Assert.Throws<DataException>(() => predictor.Predict(["#"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Regression_IsReported_InTheTargetsUnit()
    {
        var random = RandomStream.At(1, RandomPurpose.Other);
        var lines = Enumerable.Range(0, 400).Select(_ => random.NextDouble(0, 10)).Select(x => string.Create(CultureInfo.InvariantCulture, $"{x},{1000 + (250 * x)}"));
        File.WriteAllText(Path.Combine(_folder, "line.csv"), "x,price\n" + string.Join('\n', lines) + "\n");
        var run = await Train("task: tabular-regression\ndata: {path: line.csv, target: price}\nmodel: {family: mlp, hidden: [32]}\ntraining: {epochs: 30, batch_size: 32, precision: float32, optimizer: {name: adamw, learning_rate: 1e-2}, schedule: cosine}\nname: line\n");

        Assert.InRange(run.Metrics["test/rmse"], 0, 40); // of values from 1,000 to 3,500
        using var predictor = Predictor.Open(run.Folder);
        File.WriteAllText(Path.Combine(_folder, "new.csv"), "x\n4\n");
        Assert.Equal(2000, predictor.Predict([Path.Combine(_folder, "new.csv")])[0].Value!.Value, 100.0);
    }

    private Task<RunResult> Train(string recipe, TrainingCallback? callback = null, CancellationToken stop = default)
        => TrainingRun.StartAsync(
            new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(recipe, "recipe.yaml", folder: _folder).Require(),
            new() { OutputFolder = Path.Combine(_folder, "runs"), Device = "cpu", Callbacks = callback is null ? [] : [callback] }, stop);

    private void WriteTable(string name, int rows, long seed)
    {
        var random = RandomStream.At(seed, RandomPurpose.Other);
        var lines = Enumerable.Range(0, rows).Select(_ =>
        {
            var size = random.NextDouble(0, 10);
            return string.Create(CultureInfo.InvariantCulture, $"{size},{(random.NextBool() ? "red" : "blue")},{(size > 5 ? "big" : "small")}");
        });
        File.WriteAllText(Path.Combine(_folder, name), "size,colour,kind\n" + string.Join('\n', lines) + "\n");
    }

    private static byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(run, File.ReadAllText(Path.Combine(run, "last")).Trim(), "ema.safetensors"));

    private static IReadOnlyList<long> Steps(string run) => [.. RunFolder.Open(run).ReadMetrics().Select(row => row.Step)];
}

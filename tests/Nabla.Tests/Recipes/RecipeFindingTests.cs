namespace Nabla.Tests;

public sealed class RecipeFindingTests
{
    private const string Head = "task: image-classification\ndata: {dataset: shapes}\nmodel: {family: resnet}\n";

    [Fact]
    public void FiveMistakes_GiveFiveFindings_WithTheirLines()
    {
        var result = TestRegistry.Loader.CheckText("""
            task: image-clasification
            data: { dataset: fashion-mnits }
            model:
              family: resnet
              depht: 18
            training:
              epochs: many
              batch_size: 0
            """, "five.yaml");

        Assert.Null(result.Recipe);
        Assert.Equal(
            """
            five.yaml:1:7: task: 'image-clasification' is not a known task. Did you mean 'image-classification'? Valid: image-classification, tabular-regression.
            five.yaml:2:18: data.dataset: 'fashion-mnits' is not a known dataset. Did you mean 'fashion-mnist'? Valid: shapes, iris, fashion-mnist, adult.
            five.yaml:5:3: model.depht: the key 'depht' is not known in 'model'. Did you mean 'depth'? Valid: depth, dropout, block, widths, rates, family.
            five.yaml:7:11: training.epochs: expected an integer of at least 1, got text 'many'.
            five.yaml:8:15: training.batch_size: batch_size must be at least 1; it is 0.
            """,
            string.Join('\n', result.Findings));
    }

    [Fact]
    public void Exception_ListsAllFindings()
    {
        var problem = Assert.Throws<RecipeException>(() => TestRegistry.Loader.Parse("task: image-classification\n", "a.yaml"));

        Assert.Equal(
            """
            The recipe has 2 problems:
              a.yaml:1:1: data: this key is missing; it must be given (a group of keys). Example: data: {dataset: fashion-mnist}
              a.yaml:1:1: model: this key is missing; it must be given (a model family). Example: model: {family: resnet}
            """, problem.Message);
        Assert.Equal(2, problem.Findings.Count);
    }

    [Theory]
    [InlineData("training: {epochs: 0}", "training.epochs", "epochs must be at least 1; it is 0.")]
    [InlineData("training: {batch_size: 0}", "training.batch_size", "batch_size must be at least 1; it is 0.")]
    [InlineData("training: {optimizer: {learning_rate: -1}}", "training.optimizer.learning_rate", "learning_rate must be above 0 and at most 1e6; it is -1.")]
    [InlineData("training: {optimizer: {name: adamm}}", "training.optimizer.name", "'adamm' is not a known optimizer. Did you mean 'adamw'? Valid: adamw, sgd.")]
    [InlineData("training: {optimizer: adamm}", "training.optimizer.name", "'adamm' is not a known optimizer. Did you mean 'adamw'? Valid: adamw, sgd.")]
    [InlineData("training: {schedule: {name: onecycle}}", "training.schedule.name", "'onecycle' is not a known schedule. Did you mean 'one-cycle'? Valid: constant, one-cycle, cosine.")]
    [InlineData("training: {precision: float64}", "training.precision", "precision 'float64' is not known. Did you mean 'float32'? Valid: auto, float32, bfloat16-mixed, float16-mixed.")]
    [InlineData("training: {early_stopping: {monitor: valid/loss}}", "training.early_stopping.monitor", "'valid' is not a known split. Valid: train, validation, test.")]
    [InlineData("training: {early_stopping: {monitor: validation/acuracy}}", "training.early_stopping.monitor", "'acuracy' is not a known metric. Did you mean 'accuracy'? Valid: loss, accuracy, rmse.")]
    [InlineData("training: {early_stopping: {monitor: loss}}", "training.early_stopping.monitor", "monitor must be split/metric, such as validation/loss; it is 'loss'.")]
    [InlineData("metrics: [acuracy]", "metrics[0]", "'acuracy' is not a known metric. Did you mean 'accuracy'? Valid: accuracy, rmse.")]
    [InlineData("training: {regularization: {label_smoothing: abc}}", "training.regularization.label_smoothing", "expected a number in [0, 1), got text 'abc'.")]
    [InlineData("training: {ema_decay: abc}", "training.ema_decay", "expected a number in (0, 1) (or null), got text 'abc'.")]
    [InlineData("training: {epochs: 1.5}", "training.epochs", "expected an integer of at least 1, got 1.5.")]
    [InlineData("training: {epochs: '3'}", "training.epochs", "expected an integer of at least 1, got text '3' (in quotes). Remove the quotes.")]
    [InlineData("training: {epochs: [3]}", "training.epochs", "expected an integer of at least 1, got a list of 1.")]
    [InlineData("training: {epochs: 99999999999}", "training.epochs", "expected an integer of at least 1, got 99999999999.")]
    [InlineData("training: {epochs: null}", "training.epochs", "expected an integer of at least 1, got nothing.")]
    [InlineData("training: {epochs: }", "training.epochs", "expected an integer of at least 1, got nothing.")]
    [InlineData("training: {fast_dev_run: yes}", "training.fast_dev_run", "expected true or false, got text 'yes'.")]
    [InlineData("training: 3", "training", "expected a group of keys, got 3.")]
    [InlineData("training: [1, 2]", "training", "expected a group of keys, got a list of 2.")]
    [InlineData("training: {optimizer: {betas: 0.9}}", "training.optimizer.betas", "expected a list of numbers (or null), got 0.9.")]
    [InlineData("training: {optimizer: {betas: [0.9, x]}}", "training.optimizer.betas[1]", "expected a number, got text 'x'.")]
    [InlineData("training: {optimizer: {betas: [0.9, 1.5]}}", "training.optimizer.betas", "betas must be 2 (adan: 3) numbers in [0, 1); it is [0.9, 1.5].")]
    [InlineData("training: {optimizer: {extra: {amsgrad: x}}}", "training.optimizer.extra.amsgrad", "expected a number, got text 'x'.")]
    [InlineData("training: {optimizer: {learning_rate: .nan}}", "training.optimizer.learning_rate", "expected a number above 0, got text '.nan'.")]
    [InlineData("learning_rate: 0.1", "learning_rate", "the key 'learning_rate' is not known in a recipe. Did you mean 'training.optimizer.learning_rate'? Valid: name, task, data, model, loss, training, metrics, seed.")]
    [InlineData("seed: 1.5", "seed", "expected an integer, got 1.5.")]
    public void Mistake_IsSaid_AtItsKey(string line, string key, string message)
    {
        var finding = Assert.Single(TestRegistry.Loader.CheckText(Head + line + "\n", "r.yaml").Findings);

        Assert.Equal((key, message), (finding.Key, finding.Message));
        Assert.Equal(4, finding.Line);
    }

    [Theory]
    [InlineData("data: {dataset: shapes, path: x}", "data.path", "path and dataset exclude each other; keep one of them.")]
    [InlineData("data: {}", "data.dataset", "dataset or path must be given; neither is.")]
    [InlineData("data: {dataset: shapes, split: group}", "data.group_column", "group_column must be given when split is group.")]
    [InlineData("data: {dataset: shapes, split: grop}", "data.split", "'grop' is not a known split. Did you mean 'group'? Valid: random, stratified, group, time.")]
    [InlineData("data: {dataset: shapes, validation: 1}", "data.validation", "validation must be in [0, 1); it is 1.")]
    [InlineData("data: {dataset: shapes, separator: ab}", "data.separator", "expected a single character (or null), got text 'ab'.")]
    [InlineData("data: {dataset: shapes, augment: horizontal-flip}", "data.augment", "expected a list of augmentations, got text 'horizontal-flip'.")]
    [InlineData("data: {dataset: shapes, augment: [flip]}", "data.augment[0]", "'flip' is not a known augmentation. Valid: random-crop, horizontal-flip.")]
    [InlineData("data: {dataset: shapes, augment: [random-crop: 3]}", "data.augment[0]", "expected a name, or 'random-crop: {...}' with its options, got a group with the keys random-crop. Valid: random-crop, horizontal-flip.")]
    [InlineData("data: {dataset: shapes, augment: [random-crop: {pading: 3}]}", "data.augment[0].random-crop.pading", "the key 'pading' is not known in 'data.augment[0].random-crop'. Did you mean 'padding'? Valid: padding.")]
    [InlineData("data: {dataset: shapes, augment: [random-crop: {padding: -1}]}", "data.augment[0].random-crop.padding", "padding must be at least 0; it is -1.")]
    [InlineData("data: {dataset: shapes, augment: [{random-crop: {}, horizontal-flip: {}}]}", "data.augment[0]", "expected a name, or 'random-crop: {...}' with its options, got a group with the keys random-crop, horizontal-flip. Valid: random-crop, horizontal-flip.")]
    public void DataMistake_IsSaid_AtItsKey(string line, string key, string message) => OnlyFinding($"task: image-classification\n{line}\nmodel: resnet\n", 2, key, message);

    [Theory]
    [InlineData("model: {family: resnett}", "model.family", "'resnett' is not a known model family. Did you mean 'resnet'? Valid: resnet, mlp, table-only.")]
    [InlineData("model: resnett", "model.family", "'resnett' is not a known model family. Did you mean 'resnet'? Valid: resnet, mlp, table-only.")]
    [InlineData("model: {depth: 18}", "model", "expected {family: resnet, ...}, got a group with the keys depth. Valid: resnet, mlp, table-only.")]
    [InlineData("model: [resnet]", "model", "expected {family: resnet, ...}, got a list of 1. Valid: resnet, mlp, table-only.")]
    [InlineData("model: {family: [resnet]}", "model", "expected {family: resnet, ...}, got a group with the keys family. Valid: resnet, mlp, table-only.")]
    [InlineData("model:", "model", "expected a model family, got nothing.")]
    [InlineData("model: {family: resnet, depth: 19}", "model.depth", "depth must be 18, 34 or 50; it is 19.")]
    [InlineData("model: {family: mlp, hidden: 0}", "model.hidden", "Hidden must be at least 1; it is 0.")]
    [InlineData("model: {family: mlp, inner: {rate: 2}}", "model.inner.rate", "rate must be in (0, 1]; it is 2.")]
    [InlineData("model: {family: table-only}", "model.family", "the family 'table-only' does tabular-regression, but the task is image-classification. Families for image-classification: resnet, mlp.")]
    [InlineData("model: {family: resnet, block: bottle}", "model.block", "'bottle' is not a known block. Did you mean 'bottleneck'? Valid: basic-block, bottleneck.")]
    public void ModelMistake_IsSaid_AtItsKey(string line, string key, string message) => OnlyFinding($"task: image-classification\ndata: {{dataset: shapes}}\n{line}\n", 3, key, message);

    [Theory]
    [InlineData("", 1, "expected keys and values such as 'task: image-classification', got an empty file.")]
    [InlineData("# only a comment\n", 1, "expected keys and values such as 'task: image-classification', got an empty file.")]
    [InlineData("just text", 1, "expected keys and values such as 'task: image-classification', got text 'just text'.")]
    [InlineData("[1, 2]", 1, "expected keys and values such as 'task: image-classification', got a list of 2.")]
    public void NoRecipeAtAll_IsSaid(string text, int line, string message) => OnlyFinding(text, line, "", message);

    [Theory]
    [InlineData("task: a\ndata: {dataset: shapes\nmodel: x\n", 2, 4)]
    [InlineData("task: \"a\ndata: b\n", 1, 3)]
    [InlineData("task: a\n\tdata: b\n", 1, 2)]
    [InlineData("task: *nothing\n", 1, 1)]
    [InlineData("task: a: b\n", 1, 1)]
    public void BrokenYaml_IsSaid_WithItsLine(string text, int firstLine, int lastLine)
    {
        var finding = Assert.Single(TestRegistry.Loader.CheckText(text).Findings);

        Assert.StartsWith("This is not valid YAML", finding.Message, StringComparison.Ordinal);
        Assert.InRange(finding.Line, firstLine, lastLine);
    }

    [Fact]
    public void RepeatedKey_IsSaid_WithBothLines()
        => OnlyFinding(Head + "seed: 1\nseed: 2\n", 5, "seed", "The key 'seed' is written twice; the first is on line 4. Keep one of them.");

    [Fact]
    public void SecondDocument_IsSaid()
        => Assert.Contains("A recipe is one document", Assert.Single(TestRegistry.Loader.CheckText(Head + "---\nseed: 1\n").Findings).Message, StringComparison.Ordinal);

    [Fact]
    public void DeepNesting_IsRefused_WithoutOverflow()
        => Assert.Contains("nested deeper than", Assert.Single(TestRegistry.Loader.CheckText("task: " + new string('[', 20_000)).Findings).Message, StringComparison.Ordinal);

    [Fact]
    public void AliasesOfAliases_AreRefused_BeforeTheyExplode()
    {
        var lines = Enumerable.Range(1, 30).Select(i => $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 9))}]");
        var finding = Assert.Single(TestRegistry.Loader.CheckText("a0: &a0 [x]\n" + string.Join('\n', lines)).Findings);

        Assert.Contains("aliases included", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void FurtherCheck_OfTheRegistry_IsPlacedAtItsKey()
    {
        var registry = TestRegistry.Create() with { Checks = [recipe => [new("training.optimizer.momentum", $"no momentum for {recipe.Training.Optimizer.Name}")]] };

        var finding = Assert.Single(new RecipeLoader(registry).CheckText(Head + "training:\n  optimizer:\n    name: adamw\n").Findings);

        Assert.Equal((6, "no momentum for adamw"), (finding.Line, finding.Message));
    }

    [Fact]
    public void Warning_DoesNotStopTheRecipe()
    {
        var registry = TestRegistry.Create() with { Checks = [_ => [new("seed", "odd", FindingSeverity.Warning)]] };

        var result = new RecipeLoader(registry).CheckText(Head, "r.yaml");

        Assert.NotNull(result.Recipe);
        Assert.Equal("r.yaml:1:1: warning: seed: odd", Assert.Single(result.Findings).ToString());
    }

    private static void OnlyFinding(string text, int line, string key, string message)
    {
        var finding = Assert.Single(TestRegistry.Loader.CheckText(text, "r.yaml").Findings);
        Assert.Equal((key, message), (finding.Key, finding.Message));
        Assert.Equal(line, finding.Line);
    }
}

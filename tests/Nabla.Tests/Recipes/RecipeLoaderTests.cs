using Nabla.Training;

namespace Nabla.Tests;

public sealed class RecipeLoaderTests
{
    private const string Full = """
        task: image-classification
        data:      { dataset: fashion-mnist, validation: 0.1, augment: [random-crop: {padding: 2}, horizontal-flip] }
        model:     { family: resnet, depth: 34, block: bottleneck, widths: [8, 16], rates: [0.5, null] }
        training:
          epochs: 12
          batch_size: 64
          precision: auto            # float32 | bfloat16-mixed | float16-mixed | auto
          optimizer: { name: adamw, learning_rate: 3e-3, weight_decay: 0.05, betas: [0.9, 0.95], extra: {amsgrad: 1} }
          schedule:  { name: one-cycle }
          regularization: { dropout: 0.1, label_smoothing: 0.1, l1: 0, l2: 0 }
          early_stopping: { monitor: validation/loss, patience: 3 }
        seed: 7
        """;

    [Fact]
    public void Parse_RecipeOfTheDesign_BindsEveryPart()
    {
        var recipe = TestRegistry.Loader.Parse(Full, "folder/my-run.yaml");

        Assert.Equal("my-run", recipe.Name);
        Assert.Equal("image-classification", recipe.Task);
        Assert.Equal("fashion-mnist", recipe.Data.Dataset);
        Assert.Equal(0.1, recipe.Data.Validation);
        Assert.Equal(["random-crop", "horizontal-flip"], recipe.Data.Augment.Select(step => step.Name));
        Assert.Equal(new CropLikeOptions { Padding = 2 }, recipe.Data.Augment[0].Options);
        Assert.Equal("resnet", recipe.Model.Family);
        var model = Assert.IsType<ResNetLikeOptions>(recipe.Model.Options);
        Assert.Equal(34, model.Depth);
        Assert.Equal(BlockLike.Bottleneck, model.Block);
        Assert.Equal([8, 16], model.Widths);
        Assert.Equal([0.5, null], model.Rates!);
        Assert.Equal(12, recipe.Training.Epochs);
        Assert.Equal(64, recipe.Training.BatchSize);
        Assert.Equal(3e-3, recipe.Training.Optimizer.LearningRate);
        Assert.Equal([0.9, 0.95], recipe.Training.Optimizer.Betas!);
        Assert.Equal(1, recipe.Training.Optimizer.Extra!["amsgrad"]);
        Assert.Equal("one-cycle", recipe.Training.Schedule.Name);
        Assert.Equal(0.1, recipe.Training.Regularization.Dropout);
        Assert.Equal(3, recipe.Training.EarlyStopping!.Patience);
        Assert.Equal(7, recipe.Seed);
    }

    [Fact]
    public void Parse_ShortForms_AreNamesOfParts()
    {
        var recipe = TestRegistry.Loader.Parse("""
            task: image-classification
            data: {dataset: shapes}
            model: resnet
            loss: focal
            training: {optimizer: sgd, schedule: cosine}
            """);

        Assert.Equal(new ResNetLikeOptions().Depth, ((ResNetLikeOptions)recipe.Model.Options).Depth);
        Assert.Equal("focal", recipe.Loss!.Name);
        Assert.Equal(new OptimizerOptions().LearningRate, recipe.Training.Optimizer.LearningRate);
        Assert.Equal(("sgd", "cosine"), (recipe.Training.Optimizer.Name, recipe.Training.Schedule.Name));
        Assert.Equal(1, recipe.Seed);
    }

    [Fact]
    public void Parse_Json_IsAccepted()
    {
        var recipe = TestRegistry.Loader.Parse("{\n\t\"task\": \"image-classification\",\n\t\"data\": {\"dataset\": \"shapes\", \"separator\": \"\\t\"},\n\t\"model\": {\"family\": \"mlp\", \"extra\": {\"a\": 1.5e-3}, \"use_bias\": false, \"kinds\": {\"x\": \"bottleneck\"}}\n}");

        var model = Assert.IsType<MlpLikeOptions>(recipe.Model.Options);
        Assert.False(model.UseBias);
        Assert.Equal(1.5e-3, model.Extra!["a"]);
        Assert.Equal(BlockLike.Bottleneck, model.Kinds["x"]);
        Assert.Equal('\t', recipe.Data.Separator);
    }

    [Fact]
    public void Parse_AnchorsAndAliases_AreFollowed()
    {
        var recipe = TestRegistry.Loader.Parse("""
            task: tabular-regression
            data: {dataset: iris}
            model: {family: mlp, inner: &part {rate: 0.25}, other: *part}
            """);

        Assert.Equal(0.25, ((MlpLikeOptions)recipe.Model.Options).Other!.Rate);
    }

    [Fact]
    public void Load_RelativeDataPath_StartsFromTheRecipesFolder()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-recipe").FullName;
        var file = Path.Combine(folder, "mine.yaml");
        File.WriteAllText(file, "task: tabular-regression\ndata: {path: tables/a.csv}\nmodel: mlp\n");

        var recipe = TestRegistry.Loader.Load(file);

        Assert.Equal(Path.Combine(folder, "tables", "a.csv"), recipe.Data.Path);
        Assert.Equal("mine", recipe.Name);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Load_UnknownName_SaysWhereAndWhatIsThere()
    {
        var problem = Assert.Throws<RecipeException>(() => TestRegistry.Loader.Load("no-such-recipe.yaml"));

        Assert.Equal("recipe-invalid", problem.Code);
        Assert.Contains("no-such-recipe.yaml: There is no such file and no built-in recipe of this name.", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Folder_IsRefused()
        => Assert.Contains("This is a folder", Assert.Throws<RecipeException>(() => TestRegistry.Loader.Load(Path.GetTempPath())).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("training.epochs=3", 3)]
    [InlineData(" training.epochs = 4", 4)]
    [InlineData("training={epochs: 5}", 5)]
    public void Override_Path_ReplacesTheValue(string text, int epochs)
        => Assert.Equal(epochs, TestRegistry.Loader.Parse(Full, overrides: [text]).Training.Epochs);

    [Fact]
    public void Overrides_OfListsNamesAndMissingGroups_AreAppliedInOrder()
    {
        var recipe = TestRegistry.Loader.Parse("task: image-classification\ndata: {dataset: shapes, augment: [random-crop, horizontal-flip]}\nmodel: resnet\n", overrides:
        [
            "model.depth=34", "model.depth=50", "training.optimizer.name=sgd", "training.optimizer.betas=[0.8, 0.9]",
            "data.augment.0={random-crop: {padding: 1}}", "training.early_stopping.patience=9", "data.target=", "model.widths=[1]",
        ]);

        Assert.Equal(50, ((ResNetLikeOptions)recipe.Model.Options).Depth);
        Assert.Equal([1], ((ResNetLikeOptions)recipe.Model.Options).Widths);
        Assert.Equal("sgd", recipe.Training.Optimizer.Name);
        Assert.Equal([0.8, 0.9], recipe.Training.Optimizer.Betas!);
        Assert.Equal(new CropLikeOptions { Padding = 1 }, recipe.Data.Augment[0].Options);
        Assert.Equal(9, recipe.Training.EarlyStopping!.Patience);
        Assert.Null(recipe.Data.Target);
    }

    [Theory]
    [InlineData("training.epoch=3", "training.epoch", "epochs")]
    [InlineData("trainin.epochs=3", "trainin", "training")]
    [InlineData("training.epochs=three", "training.epochs", null)]
    [InlineData("training.epochs=0", "training.epochs", null)]
    [InlineData("training.epochs", "", null)]
    [InlineData("=3", "", null)]
    [InlineData("training..epochs=3", "", null)]
    [InlineData("data.augment.7=horizontal-flip", "data.augment.7", null)]
    [InlineData("training.epochs=[1", "", null)]
    [InlineData("model.family=mlp", "model.depth", null)]
    public void Override_Wrong_NamesTheOption(string text, string key, string? nearest)
    {
        var findings = TestRegistry.Loader.CheckText(Full, overrides: [text]).Findings;

        if (text.StartsWith("model", StringComparison.Ordinal))
        {
            Assert.Contains(findings, finding => finding.Key == key && finding.Line == 3);
            return;
        }
        var only = Assert.Single(findings);
        Assert.Equal($"--set {text}", only.File);
        Assert.Equal(0, only.Line);
        Assert.Equal(key, only.Key);
        Assert.Equal(nearest, only.Nearest);
    }
}

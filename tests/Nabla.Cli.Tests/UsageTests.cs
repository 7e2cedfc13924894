namespace Nabla.Cli.Tests;

public sealed class UsageTests
{
    [Theory]
    [InlineData("trian shapes", "'trian' is not a verb of 'nabla'. Did you mean 'train'? Valid: train, evaluate, predict, runs, data, recipe, bench, doctor.")]
    [InlineData("data lst", "'lst' is not a verb of 'nabla data'. Did you mean 'list'? Valid: list, info, pull, tokenize.")]
    [InlineData("recipe chek shapes", "'chek' is not a verb of 'nabla recipe'. Did you mean 'check'? Valid: check, schema.")]
    [InlineData("data", "'nabla data' needs a verb: list, info, pull, tokenize.")]
    [InlineData("train shapes --devise cpu", "'--devise' is not an option of 'nabla train'. Did you mean '--device'?")]
    [InlineData("train --ste a=b shapes", "'--ste' is not an option of 'nabla train'. Did you mean '--set'?")]
    [InlineData("recipe check --stt a=b shapes", "'--stt' is not an option of 'nabla recipe check'.")]
    [InlineData("doctor --jsn", "'--jsn' is not an option of 'nabla doctor'. Did you mean '--json'?")]
    [InlineData("--frobnicate", "'--frobnicate' is not an option of 'nabla'.")]
    [InlineData("doctor now", "'now' is one argument too many; 'nabla doctor' takes none.")]
    [InlineData("data info iris adult", "'adult' is one argument too many; 'nabla data info' takes NAME.")]
    [InlineData("data info", "Required argument 'NAME' missing for command: 'info'.")]
    [InlineData("train", "nabla train: expected a recipe file or the name of a built-in recipe, got nothing.")]
    [InlineData("train shapes --device gpu", "--device: expected auto, cpu, cuda or cuda:<number>, got 'gpu'.")]
    [InlineData("train shapes --device cuda:x", "--device: expected auto, cpu, cuda or cuda:<number>, got 'cuda:x'. Did you mean 'cuda:0'?")]
    [InlineData("evaluate a --split tset", "--split: expected train, validation or test, got 'tset'. Did you mean 'test'?")]
    [InlineData("evaluate a --split test --data b", "nabla evaluate: --split and --data exclude each other")]
    [InlineData("runs compare a", "Required argument 'RUN' missing for command: 'compare'.")]
    [InlineData("data info irsi", "The data set 'irsi' is not known. Did you mean 'iris'?")]
    [InlineData("data pull irsi", "The data set 'irsi' is not known. Did you mean 'iris'?")]
    public async Task WrongUse_IsSaid_WithWhatWasMeant(string line, string expected)
    {
        var plain = await CommandLineHarness.RunAsync(line);
        var json = await CommandLineHarness.RunAsync($"--json {line}");

        Assert.Equal(ExitCode.WrongUse, plain.Code);
        Assert.StartsWith(expected, plain.Error, StringComparison.Ordinal);
        Assert.Empty(plain.Output);
        Assert.Equal(ExitCode.WrongUse, json.Code);
        Assert.Equal("wrong-use", json.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.StartsWith(expected, json.Json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(json.Json.GetProperty("error").GetProperty("findings").EnumerateArray());
        Assert.Single(json.Output.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData("train shapes --set training.batch_size=0", "training.batch_size", "batch_size must be at least 1; it is 0.")]
    [InlineData("train shapes --set training.optimizer.learning_rate=-0.1", "training.optimizer.learning_rate", "learning_rate must be above 0 and at most 1e6; it is -0.1.")]
    [InlineData("train shapes --set training.epochs=0", "training.epochs", "epochs must be at least 1; it is 0.")]
    [InlineData("train shapes --set training.epochs=many", "training.epochs", "expected an integer of at least 1, got text 'many'.")]
    [InlineData("train shapes --set training.epoch=3", "training.epoch", "the key 'epoch' is not known in 'training'. Did you mean 'epochs'?")]
    [InlineData("train shapes --set data.dataset=shape", "data.dataset", "'shape' is not a known dataset. Did you mean 'shapes'?")]
    [InlineData("train shapes --set data.dataset=iris", "data.dataset", "the data set 'iris' is for tabular-classification, but the task is image-classification.")]
    [InlineData("train shapes --set model={family:resnett}", "model", "expected {family: mlp, ...}")]
    [InlineData("train shapes --set model=resnett", "model.family", "'resnett' is not a known model family. Did you mean 'resnet'?")]
    [InlineData("train shapes --set model=gpt", "model.family", "the family 'gpt' does language-modeling, but the task is image-classification.")]
    [InlineData("train shapes --set training.optimizer=adamm", "training.optimizer.name", "'adamm' is not a known optimizer. Did you mean 'adamw'?")]
    [InlineData("train shapes --set training.optimizer.extra={\"amsgrd\":1}", "training.optimizer.extra.amsgrd", "adamw has no option 'amsgrd'. Did you mean 'amsgrad'?")]
    [InlineData("train shape", "", "There is no such file and no built-in recipe of this name. Did you mean 'shapes'?")]
    [InlineData("recipe check shape", "", "There is no such file and no built-in recipe of this name. Did you mean 'shapes'?")]
    public async Task WrongRecipe_IsRefused_BeforeAnythingIsMade(string line, string key, string message)
    {
        var outcome = await CommandLineHarness.RunAsync($"{line} --json");

        var finding = Assert.Single(outcome.Json.GetProperty("error").GetProperty("findings").EnumerateArray());
        Assert.Equal("recipe-invalid", outcome.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(key, finding.GetProperty("key").GetString());
        Assert.Contains(message, finding.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.WrongUse, outcome.Code);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecipeCheck_OfFiveMistakes_PrintsFiveFindingsWithLines()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-cli").FullName;
        var file = Path.Combine(folder, "five.yaml");
        File.WriteAllText(file, """
            task: image-clasification
            data: { dataset: fashion-mnits }
            model:
              family: resnet
              depht: 18
            training:
              epochs: many
              batch_size: 0
            """);

        var plain = await CommandLineHarness.RunAsync(["recipe", "check", file]);
        var json = await CommandLineHarness.RunAsync(["recipe", "check", file, "--json"]);

        int[] lines = [1, 2, 5, 7, 8];
        Assert.Equal(ExitCode.WrongUse, plain.Code);
        Assert.All(lines, line => Assert.Contains($"{file}:{line}:", plain.Error, StringComparison.Ordinal));
        Assert.Equal(6, plain.Error.TrimEnd('\n').Split('\n').Length);
        Assert.Equal(lines, json.Json.GetProperty("error").GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("line").GetInt32()));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task NoArguments_ShowHelp()
    {
        var outcome = await CommandLineHarness.RunAsync([]);

        Assert.Equal(ExitCode.Done, outcome.Code);
        Assert.All(["train", "evaluate", "predict", "runs", "data", "recipe", "doctor"], verb => Assert.Contains($"  {verb} ", outcome.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task VerbWithoutHandler_IsNotDeclared()
    {
        var handlers = CommandHandlers.BuiltIn with { Train = null };

        Assert.DoesNotContain("  train ", (await CommandLineHarness.RunAsync("--help", handlers)).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.WrongUse, (await CommandLineHarness.RunAsync("train shapes", handlers)).Code);
    }

    [Theory]
    [InlineData("tune")]
    [InlineData("hub")]
    [InlineData("generate")]
    [InlineData("verify")]
    public async Task VerbOfALaterIssue_IsNotPromised(string verb)
        => Assert.DoesNotContain($"  {verb}", (await CommandLineHarness.RunAsync("--help")).Output, StringComparison.Ordinal);
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using Nabla.Training;

namespace Nabla.Tests;

public sealed class RecipeSchemaTests
{
    private static readonly JsonSchema Schema = JsonSchema.FromText(RecipeSchema.Create(RecipeRegistries.BuiltIn).ToJsonString());
    private static readonly JsonSchema TestSchema = JsonSchema.FromText(RecipeSchema.Create(TestRegistry.Create()).ToJsonString());

    public static TheoryData<string> BuiltIn => [.. BuiltInRecipes.Names];

    [Theory]
    [MemberData(nameof(BuiltIn))]
    public void BuiltInRecipe_FitsTheSchema_AndTheBinder(string name)
    {
        var result = new RecipeLoader(RecipeRegistries.BuiltIn).Check(name);

        Assert.Empty(result.Findings);
        Assert.True(Fits(Schema, BuiltInRecipes.Find(name)!));
        Assert.True(Fits(Schema, RecipeWriter.Write(result.Recipe!)), "the complete recipe fits too");
    }

    [Theory]
    [MemberData(nameof(BuiltIn))]
    public void BuiltInRecipe_WrittenAndReadAgain_IsEqual(string name)
    {
        var loader = new RecipeLoader(RecipeRegistries.BuiltIn);
        var recipe = loader.Load(name);

        Assert.Equal(recipe, loader.Parse(RecipeWriter.Write(recipe)));
    }

    [Fact]
    public void BuiltInRecipes_AreThoseOfTheRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Nabla.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("no folder above holds Nabla.slnx");
        }

        Assert.Equal(BuiltInRecipes.Names, Directory.GetFiles(Path.Combine(folder.FullName, "recipes"), "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["adult", "california-housing", "fashion-mnist", "iris", "names-gpt", "shakespeare-gpt", "shakespeare-lstm", "shapes", "sst2-text-cnn", "sst2-transformer", "wine-quality"],
            BuiltInRecipes.Names);
    }

    private const string Head = "task: image-classification\ndata: {dataset: shapes}\nmodel: {family: resnet}\n";

    [Theory]
    [InlineData("epoch: 3\n")]
    [InlineData("training: {epochs: many}\n")]
    [InlineData("training: {epochs: 0}\n")]
    [InlineData("training: {epochs: 1.5}\n")]
    [InlineData("training: {precision: float64}\n")]
    [InlineData("training: {optimizer: adamm}\n")]
    [InlineData("training: {optimizer: {name: adamm}}\n")]
    [InlineData("training: {optimizer: {learning_rate: 0}}\n")]
    [InlineData("training: {regularization: {label_smoothing: 1}}\n")]
    [InlineData("training: {ema_decay: 1}\n")]
    [InlineData("training: {fast_dev_run: 1}\n")]
    [InlineData("training: {optimizer: {lookahead: {alpha: 2}}}\n")]
    [InlineData("training: {optimizer: {groups: [{learning_rate_factor: 2}]}}\n")]
    [InlineData("training: {optimizer: {auxiliary: {learning_rate: 0}}}\n")]
    [InlineData("training: {sam: {rho: 0}}\n")]
    [InlineData("training: {averaging: {name: sva}}\n")]
    [InlineData("training: {averaging: {decay: 1}}\n")]
    [InlineData("metrics: accuracy\n")]
    [InlineData("metrics: [acuracy]\n")]
    [InlineData("seed: x\n")]
    public void WrongRecipe_FitsNeitherSchemaNorBinder(string line)
    {
        Assert.NotEmpty(TestRegistry.Loader.CheckText(Head + line).Findings);
        Assert.False(Fits(TestSchema, Head + line));
    }

    [Theory]
    [InlineData("task: image-classification\ndata: {dataset: shapes}\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapess}\nmodel: resnet\n")]
    [InlineData("task: image-clasification\ndata: {dataset: shapes}\nmodel: resnet\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapes}\nmodel: {depth: 18}\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapes}\nmodel: {family: resnet, hidden: 18}\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapes, augment: [flip]}\nmodel: resnet\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapes, augment: [random-crop: {pading: 1}]}\nmodel: resnet\n")]
    [InlineData("task: image-classification\ndata: {dataset: shapes, augment: [random-crop: {padding: -1}]}\nmodel: resnet\n")]
    public void WrongPart_FitsNeitherSchemaNorBinder(string text)
    {
        Assert.NotEmpty(TestRegistry.Loader.CheckText(text).Findings);
        Assert.False(Fits(TestSchema, text));
    }

    [Theory]
    [InlineData("training: {optimizer: adamw, schedule: {name: cosine}, early_stopping: {patience: 1}, ema_decay: 0.9}\n")]
    [InlineData("training:\nloss: focal\nmetrics: [accuracy]\n")]
    [InlineData("training: {sam: {rho: 0.1, adaptive: true}, averaging: {name: swa, start_fraction: 0.5, learning_rate_fraction: 0.1}, gradient_clipping_value: 0.5}\n")]
    [InlineData("training: {optimizer: {name: adamw, layer_decay: 0.9, lookahead: {steps: 6}, groups: [{match: 'head.*', learning_rate_factor: 10, weight_decay: 0}]}}\n")]
    [InlineData("training: {early_stopping: null, optimizer: {betas: [0.9, 0.99], extra: {x: 1}}}\n")]
    public void RightRecipe_FitsBoth(string line)
    {
        Assert.Empty(TestRegistry.Loader.CheckText(Head + line).Findings);
        Assert.True(Fits(TestSchema, Head + line));
    }

    [Theory]
    [InlineData(true, "{name: sequential, part_starts: [5, 9], parts: [{name: constant, warmup_steps: 5, warmup_shape: cosine}, linear, {name: chained, parts: [{name: cosine, after_end: continue}, exponential]}]}")]
    [InlineData(false, "{name: sequential, part_starts: [5], parts: [{name: linear}, {name: linnear}]}")]
    [InlineData(false, "{name: chained, parts: [{name: linear, gama: 1}]}")]
    [InlineData(false, "{name: chained, parts: [{name: chained, parts: [{name: step, step_epochs: 0}]}]}")]
    public void Schedule_WithParts_FitsBothOrNeither(bool fits, string schedule)
    {
        var text = Head + $"training: {{schedule: {schedule}}}\n";
        Assert.Equal(fits, new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(text).Findings.Count == 0);
        Assert.Equal(fits, Fits(Schema, text));
    }

    public static TheoryData<string> Optimizers => [.. OptimizerFactory.Names];

    [Theory, MemberData(nameof(Optimizers))]
    public void Optimizer_ByItsName_FitsBoth(string name)
    {
        Assert.Empty(new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(Head + $"training: {{optimizer: {{name: {name}, learning_rate: 0.01}}}}\n").Findings);
        Assert.True(Fits(Schema, Head + $"training: {{optimizer: {name}}}\n"));
    }

    [Theory]
    [InlineData("{name: moun}", "Did you mean 'muon'?")]
    [InlineData("{name: muon, extra: {ns_step: 3}}", "Did you mean 'ns_steps'?")]
    [InlineData("{name: lbfgs, layer_decay: 0.5}", "lbfgs moves all parameters together")]
    [InlineData("{name: adamw, auxiliary: {}}", "adamw takes no auxiliary optimiser")]
    [InlineData("{name: rprop, weight_decay: 0.1}", "rprop has no weight_decay")]
    public void Optimizer_WithWhatIsNotItsOwn_IsNamed(string optimizer, string expected)
        => Assert.Contains(expected, Assert.Single(new RecipeLoader(RecipeRegistries.BuiltIn).CheckText(Head + $"training: {{optimizer: {optimizer}}}\n").Findings).Message);

    [Fact]
    public void Schema_HoldsRangesChoicesDefaultsAndDescriptions()
    {
        var training = RecipeSchema.Create(TestRegistry.Create())["properties"]!["training"]!["anyOf"]![0]!["properties"]!;

        Assert.Equal(1, (double)training["batch_size"]!["anyOf"]![0]!["minimum"]!);
        Assert.Equal(128, (long)training["batch_size"]!["default"]!);
        Assert.Equal("Examples in a batch; auto: as many as fit into memory, found before training and written into the run's recipe. Default: 128.", (string)training["batch_size"]!["description"]!);
        Assert.Equal(["auto", "float32", "bfloat16-mixed", "float16-mixed"], training["precision"]!["enum"]!.AsArray().Select(name => (string)name!));
        Assert.Equal((0, 1), ((double)training["ema_decay"]!["exclusiveMinimum"]!, (double)training["ema_decay"]!["exclusiveMaximum"]!));
    }

    private static bool Fits(JsonSchema schema, string yaml)
    {
        using var instance = JsonDocument.Parse(ToJson(yaml)!.ToJsonString());
        return schema.Evaluate(instance.RootElement).IsValid;
    }

    /// <summary>YAML as JSON, by the parser that the binder uses.</summary>
    private static JsonNode? ToJson(string yaml)
    {
        var findings = new List<RecipeFinding>();
        var node = RecipeParser.Parse(yaml, "recipe.yaml", findings);
        Assert.Empty(findings);
        return ToJson(node!);
    }

    private static JsonNode? ToJson(RecipeNode node) => node switch
    {
        MappingNode mapping => new JsonObject(mapping.Entries.Select(entry => KeyValuePair.Create(entry.Key, ToJson(entry.Value)))),
        SequenceNode sequence => new JsonArray([.. sequence.Items.Select(ToJson)]),
        ScalarNode { IsNull: true } => null,
        ScalarNode { IsPlain: true } scalar when ScalarReader.TryReadBoolean(scalar.Value, out var flag) => flag,
        ScalarNode { IsPlain: true } scalar when ScalarReader.TryReadInteger(scalar.Value, out var integer) => integer,
        ScalarNode { IsPlain: true } scalar when ScalarReader.TryReadDouble(scalar.Value, out var number) => number,
        ScalarNode scalar => scalar.Value,
        _ => throw new NotSupportedException(),
    };
}

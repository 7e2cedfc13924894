using CsCheck;
using Nabla.Training;

namespace Nabla.Tests;

public sealed class RecipePropertyTests
{
    private static readonly string[] Seeds =
    [
        "task: image-classification\ndata: { dataset: fashion-mnist, augment: [random-crop: {padding: 2}, horizontal-flip] }\nmodel: { family: resnet, depth: 18 }\ntraining:\n  epochs: 10\n  optimizer: { name: adamw, learning_rate: 3e-3, betas: [0.9, 0.99] }\n  early_stopping: { monitor: validation/loss, patience: 3 }\nseed: 1\n",
        "{\"task\": \"tabular-regression\", \"data\": {\"path\": \"a\\u00e9.csv\", \"separator\": \";\"}, \"model\": {\"family\": \"mlp\", \"extra\": {\"x\": 1}}}",
        "task: &t tabular-regression\nname: >-\n  folded\n  text\ndata:\n  dataset: iris\n  ignore_columns:\n  - a\n  - 'b c'\nmodel:\n  family: mlp\n  inner: &p {rate: 0.5}\n  other: *p\n",
    ];

    private static readonly string[] Pieces = ["\t", ":", ": ", "\n", "  ", "[", "]", "{", "}", ",", "- ", "? ", "&a ", "*a", "!!str ", "!x ", "|", ">", "\"", "'", "\\", "\\x", "\\u12", "%", "@", "`", "#", "---\n", "...\n", "<<: ", "null", "~", "0", "-1", "1e999", ".inf", "9223372036854775808", "\0", "\uFEFF", "\u0085", "é", "\uD800", "training", "model"];

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);

    /// <summary>A valid recipe with a few random edits: pieces put in, ranges cut out, ranges doubled.</summary>
    private static readonly Gen<string> Damaged =
        from seed in OneOf(Seeds)
        from edits in Gen.Select(Gen.Int[0, 2], Gen.Int[0, 10_000], Gen.Int[0, 12], OneOf(Pieces)).Array[1, 6]
        select edits.Aggregate(seed, static (text, edit) =>
        {
            var (kind, place, length, piece) = edit;
            var at = text.Length == 0 ? 0 : place % text.Length;
            length = Math.Min(length, text.Length - at);
            return kind switch
            {
                0 => text.Insert(at, piece),
                1 => text.Remove(at, length),
                _ => text.Insert(at, text.Substring(at, length)),
            };
        });

    [Fact]
    public void DamagedText_NeverThrows_AndEveryFindingHasAPlace()
        => Damaged.Sample(text =>
        {
            var result = TestRegistry.Loader.CheckText(text, "damaged.yaml");
            Assert.True(result.Recipe is not null || result.Findings.Count > 0);
            Assert.All(result.Findings, finding => Assert.True(finding is { File: "damaged.yaml", Line: >= 1, Column: >= 1, Message.Length: > 0 }, finding.ToString()));
            Assert.All(result.Findings, finding => Assert.InRange(finding.Line, 1, text.Count(letter => letter is '\n' or '\r' or '\u0085' or '\u2028' or '\u2029') + 2));
        }, iter: 20_000, threads: 2);

    [Fact]
    public void DamagedText_Parse_ThrowsNothingButRecipeException()
        => Damaged.Sample(text =>
        {
            try
            {
                _ = TestRegistry.Loader.Parse(text);
            }
            catch (RecipeException problem)
            {
                Assert.NotEmpty(problem.Findings);
            }
        }, iter: 2_000, threads: 2);

    [Fact]
    public void DamagedOverride_NeverThrows()
        => Gen.Select(OneOf("training.epochs", "model", "data.augment.0", "model.depth", "training.optimizer.betas.1", "seed.a.b"), OneOf(Pieces).Array[0, 5])
            .Sample((path, pieces) => Assert.NotNull(TestRegistry.Loader.CheckText(Seeds[0], overrides: [path + "=" + string.Concat(pieces), path + string.Concat(pieces)]).Findings), iter: 5_000, threads: 2);

    /// <summary>Any recipe that can run.</summary>
    private static readonly Gen<Recipe> AnyRecipe =
        from name in Gen.String[Gen.OneOf(Gen.Char['a', 'z'], OneOf(' ', ':', '#', '"', '\'', '\\', '\n', '\t', '-', 'é', '0', '\u2028', '~', '{')), 1, 12]
        from widths in Gen.Int[1, 512].Array[1, 4]
        from rate in Gen.Double[1e-12, 1]
        from scale in Gen.Float[0, 10]
        from extra in Gen.Dictionary(Gen.String[Gen.Char['a', 'z'], 1, 5], Gen.Double[-1e20, 1e20])[0, 4]
        from flags in Gen.Bool.Array[6]
        from epochs in Gen.Int[1, 1000]
        from seed in Gen.Long
        select new Recipe
        {
            Name = name,
            Task = flags[0] ? "image-classification" : "tabular-regression",
            Data = new()
            {
                Dataset = flags[1] ? "iris" : null,
                Path = flags[1] ? null : "/data/" + name,
                Target = flags[2] ? name : null,
                Columns = flags[3] ? [name, "null", "1", "true", ""] : null,
                Separator = flags[4] ? ';' : null,
                Split = flags[5] ? SplitMethod.Stratified : null,
                Augment = flags[0] ? [new() { Name = "random-crop", Options = new CropLikeOptions { Padding = epochs } }, new() { Name = "horizontal-flip", Options = new FlipLikeOptions() }] : [],
            },
            Model = flags[0]
                ? new() { Family = "resnet", Options = new ResNetLikeOptions { Depth = 50, Widths = widths, Rates = [rate, null], Block = BlockLike.Bottleneck } }
                : new() { Family = "mlp", Options = new MlpLikeOptions { Hidden = epochs, Scale = scale, Extra = extra, Other = flags[3] ? new() { Rate = rate, Name = name } : null, Kinds = new Dictionary<string, BlockLike> { [name] = BlockLike.BasicBlock } } },
            Loss = flags[2] ? new() { Name = "focal-classes", ClassWeights = [rate, 0], Gamma = rate } : null,
            Training = new() { Epochs = epochs, EmaDecay = flags[4] ? 0.999 : null, EarlyStopping = flags[5] ? new() : null, Optimizer = new() { LearningRate = rate, Betas = flags[3] ? [0.9, 0.95] : null } },
            Metrics = flags[4] ? ["accuracy", "rmse"] : null,
            Seed = seed,
        };

    [Fact]
    public void Write_ThenParse_GivesAnEqualRecipe()
        => AnyRecipe.Sample(recipe =>
        {
            var text = RecipeWriter.Write(recipe);
            var again = TestRegistry.Loader.Parse(text);
            Assert.Equal(text, RecipeWriter.Write(again));
            Assert.Equal(again, TestRegistry.Loader.Parse(text));
            Assert.Equal(recipe.Training.Epochs, again.Training.Epochs);
            Assert.Equal(recipe.Seed, again.Seed);
            Assert.Equal(recipe.Name, again.Name);
            Assert.Equal(recipe.Data.Columns ?? [], again.Data.Columns ?? []);
            Assert.Equal(recipe.Training.Optimizer.LearningRate, again.Training.Optimizer.LearningRate);
            if (recipe.Model.Options is MlpLikeOptions mlp)
            {
                Assert.Equal(mlp.Extra, ((MlpLikeOptions)again.Model.Options).Extra);
                Assert.Equal(mlp.Scale, ((MlpLikeOptions)again.Model.Options).Scale);
                Assert.Equal(mlp.Other, ((MlpLikeOptions)again.Model.Options).Other);
            }
        }, iter: 1_000, threads: 2);

    [Fact]
    public void Write_HoldsEveryKey_AlsoThoseWithDefaults()
    {
        var text = RecipeWriter.Write(TestRegistry.Loader.Parse(Seeds[0]));

        foreach (var member in OptionsMembers.Of(typeof(TrainingOptions)).Concat(OptionsMembers.Of(typeof(DataOptions))).Concat(OptionsMembers.Of(typeof(OptimizerOptions))))
        {
            Assert.Contains($" {member.Key}:", text, StringComparison.Ordinal);
        }
    }
}

using System.Text.Json;
using Nabla.Data;

namespace Nabla.Cli.Tests;

public sealed class VerbTests
{
    [Fact]
    public async Task RecipeCheck_OfEveryBuiltInRecipe_FindsNothing()
    {
        Assert.NotEmpty(BuiltInRecipes.Names);
        foreach (var name in BuiltInRecipes.Names)
        {
            var outcome = await CommandLineHarness.RunAsync(["recipe", "check", name, "--json"]);
            Assert.Equal((ExitCode.Done, $"{name}: no problems.\n"), (outcome.Code, outcome.Error));
            Assert.Equal(name, outcome.Json.GetProperty("name").GetString());
        }
    }

    [Fact]
    public async Task RecipeCheck_Show_PrintsARecipeThatIsWholeAndEqual()
    {
        var shown = await CommandLineHarness.RunAsync(["recipe", "check", "shapes", "--show", "--set", "training.epochs=2"]);

        var again = new RecipeLoader(RecipeRegistries.BuiltIn).Parse(shown.Output);
        Assert.Equal(new RecipeLoader(RecipeRegistries.BuiltIn).Load("shapes", ["training.epochs=2"]), again);
    }

    [Fact]
    public async Task RecipeSchema_IsJson_InBothForms()
    {
        var plain = await CommandLineHarness.RunAsync("recipe schema");
        var json = await CommandLineHarness.RunAsync("recipe schema --json");

        Assert.Equal("object", JsonDocument.Parse(plain.Output).RootElement.GetProperty("type").GetString());
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(plain.Output).RootElement, json.Json));
    }

    [Fact]
    public async Task DataList_NamesEverySet()
    {
        var plain = await CommandLineHarness.RunAsync("data list");
        var json = await CommandLineHarness.RunAsync("data list --json");

        Assert.All(["shapes", "iris", "fashion-mnist"], name => Assert.Contains($"\n{name} ", "\n" + plain.Output, StringComparison.Ordinal));
        Assert.Contains(json.Json.GetProperty("datasets").EnumerateArray(), set => set.GetProperty("name").GetString() == "sst2");
    }

    public static TheoryData<string> SetNames => [.. Catalogue.All.Select(entry => entry.Name)];

    [Theory]
    [MemberData(nameof(SetNames))]
    public async Task DataInfo_OfEverySet_ShowsLicenceSplitsLabelsSamplesAndHash(string name)
    {
        var entry = Catalogue.Find(name);
        Assert.SkipUnless(DataFolder.Holds(entry), $"needs '{name}' in the data folder (NABLA_DATA)");

        var plain = (await CommandLineHarness.RunAsync($"data info {name}")).Output;
        var json = (await CommandLineHarness.RunAsync($"data info {name} --json")).Json;

        Assert.Equal(entry.Licence, json.GetProperty("licence").GetString());
        Assert.Equal(entry.ContentHash(), json.GetProperty("content_hash").GetString());
        var splits = json.GetProperty("splits").EnumerateArray().ToList();
        Assert.Subset(splits.Select(split => split.GetProperty("name").GetString()!).ToHashSet(), entry.Splits.ToHashSet()); // and a split made by custom
        foreach (var split in splits)
        {
            var count = split.GetProperty("count").GetInt64();
            Assert.True(count > 0);
            Assert.Contains(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{split.GetProperty("name").GetString()}: {count:N0} {json.GetProperty("unit").GetString()}\n"), plain, StringComparison.Ordinal);
            if (entry.Task.EndsWith("classification", StringComparison.Ordinal))
            {
                Assert.Equal(count, split.GetProperty("labels").EnumerateObject().Sum(label => label.Value.GetInt64()));
            }
            else if (entry.Task == DataTask.TabularRegression)
            {
                Assert.InRange(split.GetProperty("target").GetProperty("mean").GetDouble(), split.GetProperty("target").GetProperty("minimum").GetDouble(), split.GetProperty("target").GetProperty("maximum").GetDouble());
            }
        }
        var samples = json.GetProperty("samples").EnumerateArray().Select(sample => sample.GetString()!).ToList();
        Assert.NotEmpty(samples);
        Assert.All(samples, sample => Assert.Contains("  - " + sample.Split('\n')[0], plain, StringComparison.Ordinal));
        Assert.All([entry.Licence, entry.ContentHash(), entry.Card.Source], shown => Assert.Contains(shown, plain, StringComparison.Ordinal));
        Assert.DoesNotContain("\e[", plain, StringComparison.Ordinal);
        Assert.Equal(entry.Task == DataTask.ImageClassification, json.GetProperty("pictures").GetArrayLength() > 0);
    }

    [Fact]
    public async Task DataInfo_OfAGeneratedSet_ShowsCardAndHash()
    {
        var json = await CommandLineHarness.RunAsync("data info shapes --json");

        Assert.StartsWith("sha256:", json.Json.GetProperty("content_hash").GetString(), StringComparison.Ordinal);
        Assert.Contains("licence", (await CommandLineHarness.RunAsync("data info shapes")).Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, (await CommandLineHarness.RunAsync("data pull shapes")).Code);
    }

    [Fact]
    public async Task Runs_OfAnEmptyFolder_AreNone_AndAnUnknownRunIsSaid()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-runs").FullName;

        var list = await CommandLineHarness.RunAsync(["runs", "list", "--runs", folder, "--json"]);
        var show = await CommandLineHarness.RunAsync(["runs", "show", "nothing", "--runs", folder, "--json"]);

        Assert.Empty(list.Json.GetProperty("runs").EnumerateArray());
        Assert.Equal((ExitCode.Failed, "run-not-found"), (show.Code, show.Json.GetProperty("error").GetProperty("code").GetString()));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Runs_AreListedShownAndCompared()
    {
        var folder = Directory.CreateTempSubdirectory("nabla-runs").FullName;
        foreach (var (id, epochs, accuracy) in new[] { ("20260101-120000-aaaa", 3, "0.5"), ("20260102-120000-bbbb", 4, "0.75") })
        {
            var run = Directory.CreateDirectory(Path.Combine(folder, "shapes", id)).FullName;
            File.WriteAllText(Path.Combine(run, "recipe.yaml"), $"name: shapes\ntask: image-classification\ntraining:\n  epochs: {epochs}\n");
            File.WriteAllText(Path.Combine(run, "metrics.jsonl"), $"{{\"step\": 5, \"epoch\": 1, \"time\": \"2026-01-01T12:00:10Z\", \"test/accuracy\": {accuracy}}}\n");
        }

        var list = await CommandLineHarness.RunAsync(["runs", "list", "--runs", folder]);
        var show = await CommandLineHarness.RunAsync(["runs", "show", "aaaa", "--runs", folder, "--json"]);
        var compare = await CommandLineHarness.RunAsync(["runs", "compare", "aaaa", "bbbb", "--runs", folder]);

        Assert.Equal(["shapes/20260102-120000-bbbb", "shapes/20260101-120000-aaaa"], list.Output.TrimEnd('\n').Split('\n')[1..].Select(line => line.Split(' ')[0]));
        Assert.Equal(0.5, show.Json.GetProperty("metrics").GetProperty("test/accuracy").GetDouble());
        Assert.Equal("3", show.Json.GetProperty("settings").GetProperty("training.epochs").GetString());
        Assert.Matches(@"training\.epochs +3 +4", compare.Output);
        Assert.Matches(@"test/accuracy .*0\.5.*0\.75 \*", compare.Output);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Doctor_AnswersInJson()
    {
        var outcome = await CommandLineHarness.RunAsync("doctor --json");

        Assert.Contains(outcome.Json.GetProperty("checks").EnumerateArray(), check => check.GetProperty("name").GetString() == ".NET");
        Assert.Equal(outcome.Json.GetProperty("healthy").GetBoolean() ? ExitCode.Done : ExitCode.Failed, outcome.Code);
    }
}

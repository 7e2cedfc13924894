using System.Text.Json.Nodes;

namespace Nabla.Cli.Tests.BadInput;

/// <summary>Run folders that are half written, from a newer version, or damaged: no verb uses them without saying so.</summary>
public sealed class BadRunTests : BadInputTest
{
    private string _run = "";

    [Theory]
    [InlineData("recipe.yaml", "half written")]
    [InlineData("preprocessing.json", "half written")]
    [InlineData("status.json", "a folder without status.json")]
    [InlineData("checkpoints", "got no such checkpoint")]
    [InlineData("checkpoints/*/manifest.json", "manifest.json")]
    [InlineData("checkpoints/*/model.safetensors", "model.safetensors")]
    [InlineData("checkpoints/*/state.json", "state.json")]
    public async Task HalfWritten_NamesWhatIsMissing(string missing, string said)
    {
        await MakeAsync();
        var path = Locate(missing);
        if (File.Exists(path))
        {
            File.Delete(path);
        }
        else
        {
            Directory.Delete(path, recursive: true);
        }

        foreach (var verb in new[] { "predict", "evaluate" })
        {
            AssertRefused(await UseAsync(verb), ExitCode.Failed, "checkpoint-invalid", _run, said);
        }
    }

    [Fact]
    public async Task FolderThatIsNoRun_SaysSo()
    {
        Directory.CreateDirectory(At("nothing"));

        AssertRefused(await CommandLineHarness.RunAsync(["predict", At("nothing"), "x.csv", "--json"]), ExitCode.Failed, "run-not-found", "is a folder but not a run");
        AssertRefused(await CommandLineHarness.RunAsync(["train", "--resume", At("nothing"), "--json"]), ExitCode.Failed, "run-not-found", "is a folder but not a run");
    }

    [Theory]
    [InlineData("preprocessing.json", "format_version")]
    [InlineData("checkpoints/*/manifest.json", "format")]
    public async Task NewerVersion_SaysToUpdate(string file, string key)
    {
        await MakeAsync();
        Newer(Locate(file), key);
        Reseal();

        foreach (var verb in new[] { "predict", "evaluate", "resume" })
        {
            AssertRefused(await UseAsync(verb), ExitCode.Failed, "checkpoint-invalid", _run, "99", "newer");
        }
    }

    [Fact]
    public async Task RecipeOfANewerVersion_NamesTheKeyThatIsNotKnown()
    {
        await MakeAsync();
        File.AppendAllText(Locate("recipe.yaml"), "quantum: {qubits: 3}\n");
        Reseal();

        AssertRefused(await UseAsync("predict"), ExitCode.Failed, "checkpoint-invalid", "recipe.yaml", "'quantum'", "this version of Nabla cannot read", "environment.json");
    }

    [Theory]
    [InlineData("recipe.yaml")]
    [InlineData("preprocessing.json")]
    [InlineData("environment.json")]
    [InlineData("status.json")]
    [InlineData("best")]
    [InlineData("checkpoints/*/model.safetensors")]
    [InlineData("checkpoints/*/optimizer.safetensors")]
    [InlineData("checkpoints/*/state.json")]
    [InlineData("checkpoints/*/manifest.json")]
    public async Task FlippedBit_IsRefused_OrChangesNoAnswer(string file)
    {
        await MakeAsync();
        var path = Locate(file);
        var whole = File.ReadAllBytes(path);
        var answer = (await UseAsync("predict")).Output;
        var refused = 0;
        for (var i = 0; i < 12; i++)
        {
            var place = whole.Length * i / 12;
            var damaged = whole.ToArray();
            damaged[place] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(path, damaged);

            var outcome = await UseAsync("predict");

            if (outcome.Code == ExitCode.Done)
            {
                Assert.Equal(answer, outcome.Output);
                continue;
            }
            refused++;
            AssertRefused(outcome, ExitCode.Failed, "checkpoint-invalid");
        }
        if (file is not ("environment.json" or "status.json"))
        {
            Assert.Equal(12, refused);
        }
    }

    [Fact]
    public async Task FlippedBit_InTheNewestCheckpoint_ResumesFromTheOneBefore()
    {
        Write("rows.csv", Rows());
        var trained = await TrainAsync(Table + "data: {path: '@/rows.csv', target: kind}\n", "--set", "training.epochs=4");
        _run = trained.Json.GetProperty("run").GetString()!;
        var newest = Directory.GetDirectories(Path.Combine(_run, "checkpoints")).MaxBy(path => int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture))!;
        Flip(Path.Combine(newest, "model.safetensors"));

        var resumed = await UseAsync("resume");

        Assert.Equal(ExitCode.Done, resumed.Code);
        Assert.Contains("model.safetensors", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(trained.Json.GetProperty("metrics").GetRawText(), resumed.Json.GetProperty("metrics").GetRawText());
    }

    [Fact]
    public async Task DataWithUnknownLabel_ForATrainedModel_SaysWhatItKnows()
    {
        await MakeAsync();
        Write("other.csv", "size,colour,kind\n1.5,red,huge\n");

        AssertRefused(await CommandLineHarness.RunAsync(["evaluate", _run, "--data", At("other.csv"), "--json"]), ExitCode.Failed, "data-invalid", "other.csv, line 2", "'huge'", "big, small", "This run was trained on rows with the columns size, colour");
    }

    private async Task MakeAsync()
    {
        Write("rows.csv", Rows());
        Write("new.csv", "size,colour\n9.5,red\n0.5,blue\n");
        _run = (await TrainAsync(Table + "data: {path: '@/rows.csv', target: kind}\n")).Json.GetProperty("run").GetString()!;
    }

    private Task<CommandLineOutcome> UseAsync(string verb) => CommandLineHarness.RunAsync(verb switch
    {
        "predict" => ["predict", _run, At("new.csv"), "--json"],
        "evaluate" => ["evaluate", _run, "--json"],
        _ => ["train", "--resume", _run, "--json"],
    });

    private string Locate(string file)
        => file.Contains('*', StringComparison.Ordinal) ? Path.Combine(Assert.Single(Directory.GetDirectories(Path.Combine(_run, "checkpoints"))), Path.GetFileName(file)) : Path.Combine(_run, file);

    private static void Newer(string path, string key)
    {
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json[key] = 99;
        if (json["written_by"] is not null)
        {
            json["written_by"] = "99.0.0";
        }
        File.WriteAllText(path, json.ToJsonString());
    }

    /// <summary>Takes the sums of the files beside the checkpoints out of the run, as if it had been written so.</summary>
    private void Reseal()
    {
        var path = Locate("environment.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        json["files"] = new JsonObject();
        File.WriteAllText(path, json.ToJsonString());
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.Length / 2] ^= 4;
        File.WriteAllBytes(path, bytes);
    }
}

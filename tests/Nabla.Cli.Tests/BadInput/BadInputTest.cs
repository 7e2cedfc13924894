using Nabla.Core;

namespace Nabla.Cli.Tests.BadInput;

/// <summary>
/// What a user can do wrong, through the command line as they meet it. Every refusal says where, what was expected, what came and what to
/// do, ends with exit code 1 or 2, shows no stack trace, and leaves nothing half made. The list is in <c>docs/errors/README.md</c>.
/// </summary>
[Collection(nameof(BadInputTest))] // one after the other: the number of native threads belongs to the process
public abstract class BadInputTest : IDisposable
{
    /// <summary>A small recipe for tables; the data comes behind.</summary>
    private protected const string Table = """
        name: bad
        task: tabular-classification
        model: {family: mlp, hidden: [8]}
        training: {epochs: 1, batch_size: 16, precision: float32, threads: 1}

        """;

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("nabla-bad-").FullName;

    private protected string Runs => Path.Combine(Folder, "runs");

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected string At(string name) => Path.Combine(Folder, name);

    private protected string Write(string name, string text) => Write(name, System.Text.Encoding.UTF8.GetBytes(text));

    private protected string Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), bytes);
        return At(name);
    }

    /// <summary>Rows with the columns size, colour and kind, which are easy to learn.</summary>
    private protected static string Rows(int count = 60) => "size,colour,kind\n" + string.Concat(Enumerable.Range(0, count)
        .Select(row => FormattableString.Invariant($"{(row % 2 * 20) + (row % 7)}.5,{(row % 3 == 0 ? "red" : "blue")},{(row % 2 == 0 ? "small" : "big")}\n")));

    /// <summary>Trains a recipe whose relative names lie in this test's folder.</summary>
    /// <param name="recipe">Text of the recipe; <c>@</c> stands for the folder.</param>
    /// <param name="more">More arguments.</param>
    private protected Task<CommandLineOutcome> TrainAsync(string recipe, params string[] more)
        => CommandLineHarness.RunAsync(["train", WriteRecipe(recipe), "--json", "--out", Runs, .. more]);

    /// <summary>Writes a recipe in which <c>@</c> stands for this test's folder.</summary>
    private protected string WriteRecipe(string recipe) => Write("recipe.yaml", recipe.Replace("@", Folder, StringComparison.Ordinal));

    /// <summary>Checks that an outcome is a refusal that ends the search.</summary>
    /// <param name="outcome">What the command line did, with <c>--json</c>.</param>
    /// <param name="code">Exit code.</param>
    /// <param name="error">Kind of error.</param>
    /// <param name="parts">What the message must say: where, what was expected, what came, what to do.</param>
    private protected static void AssertRefused(CommandLineOutcome outcome, int code, string error, params string[] parts)
    {
        var told = outcome.Json.GetProperty("error");
        var message = told.GetProperty("message").GetString()!;
        TestContext.Current.TestOutputHelper?.WriteLine(message);
        Assert.Equal((code, error), (outcome.Code, told.GetProperty("code").GetString()));
        Assert.All(parts, part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.EndsWith(message + "\n", outcome.Error.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", outcome.Error, StringComparison.Ordinal);
        Assert.Single(outcome.Output.TrimEnd('\n').Split('\n'));
    }

    /// <summary>Checks that no run was left behind.</summary>
    private protected void AssertNothingLeft()
        => Assert.Empty(Directory.Exists(Runs) ? Directory.GetFileSystemEntries(Runs) : []);

    /// <summary>Checks that nothing below the runs is half written: no temporary name, and every checkpoint whole.</summary>
    /// <returns>The one run there is.</returns>
    private protected string AssertOneWholeRun()
    {
        var run = Assert.Single(Directory.GetDirectories(Runs).SelectMany(Directory.GetDirectories));
        Assert.DoesNotContain(Directory.GetFileSystemEntries(run, "*", SearchOption.AllDirectories), path => path.Contains(AtomicFile.TemporaryMark, StringComparison.Ordinal));
        var checkpoints = Path.Combine(run, "checkpoints");
        Assert.All(Directory.Exists(checkpoints) ? Directory.GetDirectories(checkpoints) : [], checkpoint => Assert.True(File.Exists(Path.Combine(checkpoint, "manifest.json"))));
        return run;
    }
}

using System.Text.Json.Nodes;
using Nabla.Core;

namespace Nabla.Cli.Tests;

public sealed class CommandRunnerTests
{
    [Fact]
    public async Task Train_PassesEveryOption()
    {
        TrainRequest? seen = null;
        var handlers = CommandLineHarness.WithTrain((request, _, _) =>
        {
            seen = request;
            return Task.FromResult(new VerbResult(new JsonObject { ["run"] = "x" }));
        });

        var outcome = await CommandLineHarness.RunAsync(["train", "a.yaml", "--set", "training.epochs=3", "--set=seed=4", "--out", "here", "--device", "cuda:1", "--resume", "run-1"], handlers);

        Assert.Equal((ExitCode.Done, ""), (outcome.Code, outcome.Output));
        Assert.Equal(("a.yaml", "here", "cuda:1", "run-1"), (seen!.Recipe, seen.OutputFolder, seen.Device, seen.Resume));
        Assert.Equal(["training.epochs=3", "seed=4"], seen.Overrides);
    }

    [Theory]
    [InlineData("predict run @file.txt -5.5 -", new[] { "@file.txt", "-5.5", "-" })]
    [InlineData("predict run -- --not-an-option -x", new[] { "--not-an-option", "-x" })]
    [InlineData("predict run", new[] { "-" })]
    public async Task Predict_TakesInputs_AsTheyAre(string line, string[] expected)
    {
        PredictRequest? seen = null;
        var handlers = new CommandHandlers
        {
            Predict = (request, _, _) =>
            {
                seen = request;
                return Task.FromResult(new VerbResult([]));
            },
        };

        await CommandLineHarness.RunAsync(line, handlers);

        Assert.Equal(expected, seen!.Inputs);
    }

    [Fact]
    public async Task Json_IsTheOnlyOutput_OnOneLine_AndNumbersMayBeNaN()
    {
        var handlers = CommandLineHarness.WithTrain((_, output, _) =>
        {
            output.Out.WriteLine("for people");
            output.Error.WriteLine("progress");
            return Task.FromResult(new VerbResult(new JsonObject { ["metrics"] = new JsonObject { ["test/auc"] = double.NaN, ["text"] = "two\nlines é" } }));
        });

        var outcome = await CommandLineHarness.RunAsync("train x --json", handlers);

        Assert.Equal("{\"metrics\":{\"test/auc\":\"NaN\",\"text\":\"two\\nlines é\"}}\n", outcome.Output);
        Assert.Equal("progress\n", outcome.Error);
        Assert.Equal(ExitCode.Done, outcome.Code);
    }

    public static TheoryData<Exception, int, string> Problems => new()
    {
        { new DataException("the file is cut off"), ExitCode.Failed, "data-invalid" },
        { new CheckpointException("a bit is flipped"), ExitCode.Failed, "checkpoint-invalid" },
        { new TrainingException("the loss is NaN at step 3"), ExitCode.Failed, "training-failed" },
        { new ShapeException("Linear.forward", "input", "[batch, 4]", [2, 3]), ExitCode.Failed, "shape-mismatch" },
        { new OptionsException("ResNetOptions", ["depth must be 18."]), ExitCode.WrongUse, "options-invalid" },
        { new OperationCanceledException(), ExitCode.Cancelled, "cancelled" },
        { new IOException("No space left on device : '/x'"), ExitCode.Failed, "input-output" },
        { new UnauthorizedAccessException("Access to the path '/x' is denied."), ExitCode.Failed, "input-output" },
        { new AggregateException(new DataException("inner")), ExitCode.Failed, "data-invalid" },
    };

    [Theory]
    [MemberData(nameof(Problems))]
    public async Task Problem_IsItsMessage_NeverAStackTrace(Exception problem, int code, string name)
    {
        var handlers = CommandLineHarness.WithTrain((_, _, _) => throw problem);

        var plain = await CommandLineHarness.RunAsync("train x", handlers);
        var json = await CommandLineHarness.RunAsync("train x --json", handlers);

        Assert.Equal((code, code), (plain.Code, json.Code));
        Assert.Single(plain.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(name, json.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(plain.Error.TrimEnd('\n'), json.Json.GetProperty("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task UnknownProblem_GoesToACrashLog()
    {
        var handlers = CommandLineHarness.WithTrain(async (_, _, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("odd\nsecond line");
        });

        var outcome = await CommandLineHarness.RunAsync("train x --json", handlers);

        Assert.Equal(ExitCode.Failed, outcome.Code);
        Assert.Equal("crash", outcome.Json.GetProperty("error").GetProperty("code").GetString());
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        var words = outcome.Error.Split(' ', ';');
        var file = words.Single(word => word.EndsWith(".log", StringComparison.Ordinal));
        var log = File.ReadAllText(file);
        Assert.Contains("second line", log, StringComparison.Ordinal);
        Assert.Contains("   at ", log, StringComparison.Ordinal);
        File.Delete(file);
    }

    [Fact]
    public async Task FirstInterrupt_CancelsTheToken_SecondIsForLeaving()
    {
        var interrupts = Interrupts.None();
        var started = new TaskCompletionSource();
        var handlers = CommandLineHarness.WithTrain(async (_, _, cancellationToken) =>
        {
            started.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new VerbResult([]);
        });

        var run = CommandLineHarness.RunAsync(["train", "x"], handlers, interrupts);
        await started.Task;
        var (first, second) = (interrupts.Raise(), interrupts.Raise());

        Assert.Equal(ExitCode.Cancelled, (await run.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).Code);
        Assert.Equal((true, false), (first, second));
    }
}

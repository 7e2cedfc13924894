using System.Text.Json.Nodes;
using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Runs the handler of a verb and turns what comes out of it, errors too, into output and an exit code.</summary>
/// <param name="output">Where to write.</param>
/// <param name="interrupts">Begins to listen for Ctrl-C.</param>
internal sealed class CommandRunner(CommandOutput output, Func<Interrupts> interrupts)
{
    /// <summary>Runs a handler.</summary>
    /// <typeparam name="TRequest">Type of the request.</typeparam>
    /// <param name="handler">The handler.</param>
    /// <param name="request">Makes the request; it may throw <see cref="UsageException"/>.</param>
    /// <param name="ownSignals">Whether the handler listens to signals itself.</param>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync<TRequest>(CommandHandler<TRequest> handler, Func<TRequest> request, bool ownSignals = false)
    {
        try
        {
            using var listening = ownSignals ? Interrupts.None() : interrupts();
            var result = await handler(request(), output, listening.Token).ConfigureAwait(false);
            if (result.Json is { } json)
            {
                output.WriteJson(json);
            }
            // Whoever ends processes takes any other code for a failure; the place is saved.
            var code = result.ExitCode == ExitCode.Cancelled && listening.IsTermination ? ExitCode.Done : result.ExitCode;
            if (result.LeavesWork)
            {
                listening.Exit(code);
            }
            return code;
        }
        catch (Exception problem)
        {
            return Report(problem);
        }
    }

    /// <summary>Says what went wrong, once for people and once as JSON when asked.</summary>
    /// <param name="problem">The problem.</param>
    /// <returns>The exit code.</returns>
    public int Report(Exception problem)
    {
        var failure = Failure.Of(problem);
        output.Error.WriteLine(failure.Message);
        output.WriteJson(new JsonObject { ["error"] = new JsonObject { ["code"] = failure.Code, ["message"] = failure.Message, ["findings"] = failure.Findings } });
        return failure.ExitCode;
    }

    /// <summary>A problem as users see it.</summary>
    private sealed record Failure(string Code, string Message, int ExitCode, JsonArray Findings)
    {
        public static Failure Of(Exception problem) => problem switch
        {
            AggregateException { InnerExceptions: [var only] } => Of(only),
            OperationCanceledException => new("cancelled", "Cancelled.", Cli.ExitCode.Cancelled, []),
            RecipeException recipe => new(recipe.Code, recipe.Message, Cli.ExitCode.WrongUse, RecipeHandler.ToJson(recipe.Findings)),
            UsageException usage => new(usage.Code, usage.Message, Cli.ExitCode.WrongUse, []),
            NablaException known => new(known.Code, known.Message, Cli.ExitCode.Failed, []),
            OptionsException options => new("options-invalid", options.Message, Cli.ExitCode.WrongUse, [.. options.Problems.Select(text => new JsonObject { ["message"] = text })]),
            ShapeException shape => new("shape-mismatch", shape.Message, Cli.ExitCode.Failed, []),
            IOException or UnauthorizedAccessException => new("input-output", $"{problem.Message.TrimEnd('.')}. Check that the path exists, can be written, and that the disk has room.", Cli.ExitCode.Failed, []),
            _ => Unknown(problem),
        };

        private static Failure Unknown(Exception problem)
        {
            var file = CrashLog.TryWrite(problem);
            var where = file is null ? "No crash log could be written." : $"Details are in {file}; please attach that file when you report this.";
            return new("crash", $"nabla met a problem it does not know: {problem.GetType().Name}: {problem.Message.Split('\n', 2)[0].TrimEnd('\r', '.')}. {where}", Cli.ExitCode.Failed, []);
        }
    }
}

using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Nabla.Cli;

/// <summary>The verbs of <c>nabla</c>, and what happens when a command line is wrong.</summary>
internal static class NablaCommandLine
{
    private const string JsonName = "--json";

    /// <summary>Runs a command line.</summary>
    /// <param name="arguments">The arguments, without the program's name.</param>
    /// <param name="output">Where to write.</param>
    /// <param name="handlers">The work behind the verbs.</param>
    /// <param name="interrupts">Begins to listen for Ctrl-C; called when a verb starts.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, CommandOutput output, CommandHandlers handlers, Func<Interrupts> interrupts)
    {
        var runner = new CommandRunner(output, interrupts);
        try
        {
            var parsed = Parse(arguments, runner, handlers, output);
            if (parsed.Action is not HelpAction && UsageErrors.Of(parsed, arguments) is { } wrong)
            {
                return runner.Report(wrong);
            }
            return await parsed.InvokeAsync(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = output.Plain, Error = output.Error }).ConfigureAwait(false);
        }
        catch (Exception problem)
        {
            return runner.Report(problem);
        }
    }

    /// <summary>Parses a command line; <see cref="UsageErrors"/> says what is wrong with it.</summary>
    internal static ParseResult Parse(IReadOnlyList<string> arguments, CommandRunner runner, CommandHandlers handlers, CommandOutput output)
    {
        // Before parsing, so that also a command line that cannot be parsed is answered in JSON.
        output.Json = arguments.TakeWhile(argument => argument != "--").Contains(JsonName);
        var root = CreateRoot(runner, handlers);
        return CommandLineParser.Parse(root, arguments.Count == 0 ? ["--help"] : arguments, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
    }

    /// <summary>The root with one command for each verb that has a handler.</summary>
    /// <param name="runner">Runs the handlers.</param>
    /// <param name="handlers">The work behind the verbs.</param>
    internal static RootCommand CreateRoot(CommandRunner runner, CommandHandlers handlers)
    {
        RootCommand root = new("Deep learning for .NET: train, measure and use models from one declarative recipe.");
        root.Directives.Clear();
        root.Options.Add(new Option<bool>(JsonName) { Description = "Print one JSON object as the last line of standard output.", Recursive = true });
        Add(root, handlers.Train, handler => TrainCommand.Create(runner, handler, handlers.Supervise));
        Add(root, handlers.Evaluate, handler => EvaluateCommand.Create(runner, handler));
        Add(root, handlers.Predict, handler => PredictCommand.Create(runner, handler));
        Add(root, handlers.Runs, handler => RunsCommand.Create(runner, handler));
        Add(root, handlers.Data, handler => DataCommand.Create(runner, handler));
        Add(root, handlers.Recipe, handler => RecipeCommand.Create(runner, handler));
        Add(root, handlers.Bench, handler => BenchCommand.Create(runner, handler));
        Add(root, handlers.Doctor, handler => DoctorCommand.Create(runner, handler));
        return root;
    }

    private static void Add<THandler>(RootCommand root, THandler? handler, Func<THandler, Command> create)
        where THandler : class
    {
        if (handler is not null)
        {
            root.Subcommands.Add(create(handler));
        }
    }
}

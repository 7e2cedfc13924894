using System.CommandLine;
using System.CommandLine.Parsing;
using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageErrors
{
    /// <summary>The problem of a command line, or null when it can run.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="arguments">The arguments as they were given.</param>
    public static UsageException? Of(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        var command = parsed.CommandResult.Command;
        string[] problems =
        [
            .. MistakenOptions(parsed, arguments).Select(token => Unmatched(parsed, command, token)),
            .. parsed.UnmatchedTokens.Select(token => Unmatched(parsed, command, token)),
        ];
        if (problems.Length == 0)
        {
            problems = parsed.Errors.Count == 0 ? []
                : command.Subcommands.Count > 0 ? [$"'{NameOf(parsed.CommandResult)}' needs a verb: {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}."]
                : [.. parsed.Errors.Select(error => error.Message)];
        }
        return problems.Length == 0 ? null : new UsageException($"{string.Join('\n', problems.Distinct())}\nRun '{NameOf(parsed.CommandResult)} --help' to see how it is used.");
    }

    /// <summary>
    /// Words that the parser took for an argument although they look like an option, such as a misspelled one. What stands after
    /// <c>--</c> is an argument whatever it looks like, and so is a number.
    /// </summary>
    private static IEnumerable<string> MistakenOptions(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        var plain = arguments.TakeWhile(argument => argument != "--").ToHashSet(StringComparer.Ordinal);
        return parsed.CommandResult.Children.OfType<ArgumentResult>()
            .SelectMany(argument => argument.Tokens)
            .Select(token => token.Value)
            .Where(value => value.Length > 1 && value[0] == '-' && plain.Contains(value) && !double.TryParse(value, System.Globalization.CultureInfo.InvariantCulture, out _));
    }

    private static string Unmatched(ParseResult parsed, Command command, string token)
    {
        var name = NameOf(parsed.CommandResult);
        if (token.StartsWith('-') && token.Length > 1)
        {
            var options = OptionNames(parsed.CommandResult).ToArray();
            var text = token.Split('=', 2)[0];
            return $"'{text}' is not an option of '{name}'. {NearestName.Suggest(text, options)}".TrimEnd();
        }
        if (command.Subcommands.Count > 0)
        {
            return $"'{token}' is not a verb of '{name}'. {NearestName.Suggest(token, [.. command.Subcommands.Select(verb => verb.Name)])}".TrimEnd();
        }
        return command.Arguments.Count == 0
            ? $"'{token}' is one argument too many; '{name}' takes none."
            : $"'{token}' is one argument too many; '{name}' takes {string.Join(' ', command.Arguments.Select(argument => argument.HelpName ?? argument.Name))}.";
    }

    private static string NameOf(CommandResult command)
        => command.Parent is CommandResult parent ? $"{NameOf(parent)} {command.Command.Name}" : "nabla";

    /// <summary>The options that may stand here: the command's own and the recursive ones above it.</summary>
    private static IEnumerable<string> OptionNames(CommandResult command)
    {
        var own = command.Command.Options.Select(option => option.Name);
        for (var above = command.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
        {
            own = own.Concat(above.Command.Options.Where(option => option.Recursive).Select(option => option.Name));
        }
        return own.Distinct();
    }
}

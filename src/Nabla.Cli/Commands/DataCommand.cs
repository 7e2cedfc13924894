using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla data list</c> is asked.</summary>
internal sealed record DataListRequest;

/// <summary>What <c>nabla data info</c> and <c>nabla data pull</c> are asked.</summary>
/// <param name="Name">Name of a data set.</param>
internal sealed record DataNameRequest(string Name);

/// <summary>What <c>nabla data tokenize</c> is asked.</summary>
/// <param name="Text">Path of a text file.</param>
/// <param name="Output">Path of the token file; null: beside the text.</param>
/// <param name="Unit">character or word.</param>
/// <param name="MaxSize">Most words kept.</param>
internal sealed record DataTokenizeRequest(string Text, string? Output, string Unit, int MaxSize);

/// <summary><c>nabla data list</c>, <c>nabla data info NAME</c>, <c>nabla data pull NAME</c>, <c>nabla data tokenize TEXT</c></summary>
internal static class DataCommand
{
    public static Command Create(CommandRunner runner, DataHandlers handlers)
    {
        Command list = new("list", "List the data sets that Nabla knows.");
        list.SetAction((_, _) => runner.RunAsync(handlers.List, () => new DataListRequest()));

        Argument<string> described = new("name") { HelpName = "NAME", Description = "Name of a data set, such as fashion-mnist." };
        Command info = new("info", "Show licence, splits, label counts, samples and hash of a data set.") { described };
        info.SetAction((input, _) => runner.RunAsync(handlers.Info, () => new DataNameRequest(input.GetRequiredValue(described))));

        Argument<string> fetched = new("name") { HelpName = "NAME", Description = "Name of a data set, such as fashion-mnist." };
        Command pull = new("pull", "Fetch a data set and check its hashes; goes on where an earlier pull stopped.") { fetched };
        pull.SetAction((input, _) => runner.RunAsync(handlers.Pull, () => new DataNameRequest(input.GetRequiredValue(fetched))));

        Argument<string> text = new("text") { HelpName = "TEXT", Description = "A text file (UTF-8, plain or gzip) of any size." };
        Option<string?> target = new("--out") { HelpName = "FILE", Description = "The token file. Default: the text's name with .tokens" };
        Option<string> unit = new("--unit") { HelpName = "UNIT", Description = "What a token is: character or word. Default: character", DefaultValueFactory = _ => "character" };
        Option<int> most = new("--max-size") { HelpName = "N", Description = "Most words kept, the most frequent ones. Default: 30000", DefaultValueFactory = _ => 30_000 };
        Command tokenize = new("tokenize", "Turn a text into a token file, which recipes read as data.path without loading it into memory.") { text, target, unit, most };
        tokenize.SetAction((input, _) => runner.RunAsync(handlers.Tokenize, () =>
        {
            var chosen = input.GetRequiredValue(unit);
            return chosen is "character" or "word"
                ? new DataTokenizeRequest(input.GetRequiredValue(text), input.GetValue(target), chosen, input.GetRequiredValue(most))
                : throw new UsageException($"--unit: expected character or word, got '{chosen}'. {Core.NearestName.Suggest(chosen, ["character", "word"])}");
        }));

        return new("data", "List, describe and fetch data sets; make token files.") { list, info, pull, tokenize };
    }
}

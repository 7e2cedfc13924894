using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla data list</c> is asked.</summary>
internal sealed record DataListRequest;

/// <summary>What <c>nabla data info</c> and <c>nabla data pull</c> are asked.</summary>
/// <param name="Name">Name of a data set.</param>
internal sealed record DataNameRequest(string Name);

/// <summary><c>nabla data list</c>, <c>nabla data info NAME</c>, <c>nabla data pull NAME</c></summary>
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

        return new("data", "List, describe and fetch data sets.") { list, info, pull };
    }
}

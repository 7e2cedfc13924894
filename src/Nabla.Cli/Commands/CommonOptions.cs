using System.CommandLine;
using System.Globalization;
using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Options that several verbs have.</summary>
internal static class CommonOptions
{
    public static Option<string[]> Overrides() => new("--set")
    {
        HelpName = "KEY=VALUE",
        Description = "Override a value of the recipe by its path, such as training.epochs=3. Can be given more than once.",
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = false,
    };

    public static Option<string?> Device() => new("--device")
    {
        HelpName = "DEVICE",
        Description = "auto, cpu, cuda or cuda:<number>. Default: auto",
    };

    public static Option<string?> RunsFolder() => new("--runs")
    {
        HelpName = "DIR",
        Description = "Folder that holds the runs. Default: runs",
    };

    /// <summary>Checks the form of a device's name, so that a wrong one is told before anything is loaded.</summary>
    public static string CheckDevice(string? text)
    {
        var valid = text is null or "auto" or "cpu" or "cuda"
            || (text.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(text.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out _));
        return valid ? text ?? "auto" : throw new UsageException($"--device: expected auto, cpu, cuda or cuda:<number>, got '{text}'. {NearestName.Suggest(text!, ["auto", "cpu", "cuda", "cuda:0"])}");
    }
}

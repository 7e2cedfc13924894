using System.Text.Json;

namespace Nabla.Cli.Tests;

/// <summary>Runs command lines inside the test process and keeps what they wrote.</summary>
internal static class CommandLineHarness
{
    public static async Task<CommandLineOutcome> RunAsync(IReadOnlyList<string> arguments, CommandHandlers? handlers = null, Interrupts? interrupts = null, string input = "")
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = await NablaCommandLine.RunAsync(arguments, new CommandOutput(output, error, () => new StringReader(input)), handlers ?? CommandHandlers.BuiltIn, () => interrupts ?? Interrupts.None());
        return new(code, output.ToString(), error.ToString());
    }

    public static Task<CommandLineOutcome> RunAsync(string line, CommandHandlers? handlers = null) => RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), handlers);

    /// <summary>Handlers of which train is the given one.</summary>
    public static CommandHandlers WithTrain(CommandHandler<TrainRequest> train) => new() { Train = train };
}

/// <summary>What a command line did.</summary>
internal sealed record CommandLineOutcome(int Code, string Output, string Error)
{
    /// <summary>The last line of standard output as JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Output.TrimEnd('\n').Split('\n')[^1]).RootElement;
}

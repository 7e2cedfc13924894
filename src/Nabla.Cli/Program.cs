using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Entry point of <c>nabla</c>.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        var output = new CommandOutput(System.Console.Out, System.Console.Error, static () => System.Console.In);
        return NablaCommandLine.RunAsync(arguments, output, CommandHandlers.BuiltIn, () => BeginVerb(output));
    }

    /// <summary>Apart from <see cref="Main"/>, because help must not load the tensor engine.</summary>
    private static Interrupts BeginVerb(CommandOutput output)
    {
        NablaRuntime.EndWithoutNativeDestructors();
        return Interrupts.FromSignals(output);
    }
}

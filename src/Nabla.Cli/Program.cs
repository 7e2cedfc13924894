using Nabla.Core;

namespace Nabla.Cli;

/// <summary>Entry point of <c>nabla</c>.</summary>
internal static class Program
{
    private static Task<int> Main(string[] arguments)
    {
        NablaRuntime.EndWithoutNativeDestructors();
        var output = new CommandOutput(System.Console.Out, System.Console.Error, static () => System.Console.In);
        return NablaCommandLine.RunAsync(arguments, output, CommandHandlers.BuiltIn, () => Interrupts.FromSignals(output));
    }
}

using System.CommandLine;

namespace Nabla.Cli;

/// <summary>What <c>nabla doctor</c> is asked.</summary>
internal sealed record DoctorRequest;

/// <summary><c>nabla doctor</c></summary>
internal static class DoctorCommand
{
    public static Command Create(CommandRunner runner, CommandHandler<DoctorRequest> handler)
    {
        Command command = new("doctor", "Examine this machine: libraries, processor, devices, memory, folders.");
        command.SetAction((_, _) => runner.RunAsync(handler, () => new DoctorRequest()));
        return command;
    }
}

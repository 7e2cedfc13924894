using Nabla.Core;

namespace Nabla.Cli;

/// <summary>The command line asks for something that cannot be; the process ends with <see cref="ExitCode.WrongUse"/>.</summary>
internal sealed class UsageException(string message) : NablaException(message)
{
    /// <inheritdoc/>
    public override string Code => "wrong-use";
}

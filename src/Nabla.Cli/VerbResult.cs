using System.Text.Json.Nodes;

namespace Nabla.Cli;

/// <summary>What a verb gave: the object that <c>--json</c> prints, and the exit code.</summary>
/// <param name="Json">The result, with the keys of design.md section 4.2; written on one line. Null: another process has written it.</param>
/// <param name="ExitCode">One of <see cref="Cli.ExitCode"/>.</param>
internal sealed record VerbResult(JsonObject? Json, int ExitCode = Cli.ExitCode.Done)
{
    /// <summary>Whether work is still going on that cannot be ended and need not be waited for: the process then leaves at once.</summary>
    public bool LeavesWork { get; init; }
}

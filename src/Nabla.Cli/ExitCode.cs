namespace Nabla.Cli;

/// <summary>What the process returns (design, section 4.2).</summary>
internal static class ExitCode
{
    /// <summary>The verb did what it was asked.</summary>
    public const int Done = 0;

    /// <summary>The verb failed.</summary>
    public const int Failed = 1;

    /// <summary>The verb was asked for something that cannot be: an unknown name, a wrong value, a recipe with errors.</summary>
    public const int WrongUse = 2;

    /// <summary>The user stopped it (128 + SIGINT, as shells have it).</summary>
    public const int Cancelled = 130;
}

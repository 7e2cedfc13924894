namespace Nabla.Training;

/// <summary>How a run stands.</summary>
public enum RunState
{
    /// <summary>The folder was made; training has not begun.</summary>
    Created,

    /// <summary>A process is training it.</summary>
    Running,

    /// <summary>It trained to its end.</summary>
    Completed,

    /// <summary>It was asked to stop and saved its place; it can be resumed.</summary>
    Interrupted,

    /// <summary>It stopped by an error.</summary>
    Failed,

    /// <summary>Its process ended without a word (killed, machine lost); it can be resumed from its newest checkpoint.</summary>
    Crashed,
}

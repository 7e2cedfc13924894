namespace Nabla.Training;

/// <summary>Where the time and the memory of some training steps went. Times are sums over all profiled steps, in milliseconds.</summary>
public sealed record ProfileReport
{
    /// <summary>Version of this format.</summary>
    public int FormatVersion { get; init; } = 1;

    /// <summary>Steps that were profiled.</summary>
    public required int Steps { get; init; }

    /// <summary>Time from the first profiled step to the end of the last, in milliseconds.</summary>
    public required double Milliseconds { get; init; }

    /// <summary>Share of that time in which the step waited for the loader, in [0, 1].</summary>
    public required double LoaderWaitShare { get; init; }

    /// <summary>Most memory that native code held at any measured moment, in bytes.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Parts of a step, the longest first.</summary>
    public required IReadOnlyList<ProfiledPhase> Phases { get; init; }

    /// <summary>Layers, the one with the longest own time first.</summary>
    public required IReadOnlyList<ProfiledLayer> Layers { get; init; }

    /// <summary>Operations of the native library, the one with the longest own time first; empty where they could not be timed.</summary>
    public required IReadOnlyList<ProfiledOperation> Operations { get; init; }
}

/// <summary>A part of the training step.</summary>
/// <param name="Name">loader wait, forward, backward, optimizer, metrics, validation, checkpoint or other.</param>
/// <param name="Calls">How often it ran.</param>
/// <param name="Milliseconds">Its time.</param>
/// <param name="Share">Its share of the profiled time, in [0, 1].</param>
public sealed record ProfiledPhase(string Name, int Calls, double Milliseconds, double Share);

/// <summary>A module.</summary>
/// <param name="Path">Its path in the model, such as <c>blocks.0.attention.qkv</c>; empty: the model itself.</param>
/// <param name="Type">Its class.</param>
/// <param name="Calls">How often its forward pass ran, recomputation included.</param>
/// <param name="ForwardMilliseconds">Time of its forward passes, the modules inside included.</param>
/// <param name="BackwardMilliseconds">Time of its backward passes, the modules inside included.</param>
/// <param name="SelfMilliseconds">Time of both without the modules inside.</param>
/// <param name="SelfShare">Its own time as a share of the profiled time, in [0, 1].</param>
/// <param name="KeptBytes">Memory that a forward pass leaves for the backward pass, the mean over the calls.</param>
/// <param name="PeakBytes">Most memory that native code held while it ran, at the borders of it and of the modules inside.</param>
public sealed record ProfiledLayer(
    string Path, string Type, int Calls, double ForwardMilliseconds, double BackwardMilliseconds, double SelfMilliseconds, double SelfShare, long KeptBytes, long PeakBytes);

/// <summary>An operation of the native library.</summary>
/// <param name="Name">Its name, such as <c>aten::addmm</c>.</param>
/// <param name="Calls">How often it ran.</param>
/// <param name="Milliseconds">Its time, the operations inside included.</param>
/// <param name="SelfMilliseconds">Its time without them.</param>
/// <param name="SelfShare">That time as a share of the profiled time, in [0, 1].</param>
public sealed record ProfiledOperation(string Name, int Calls, double Milliseconds, double SelfMilliseconds, double SelfShare);

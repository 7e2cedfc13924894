namespace Nabla.Training;

/// <summary>How much memory there is, and how much a piece of work takes.</summary>
public interface IMemoryMeter
{
    /// <summary>Bytes that can still be taken; null where only an error tells (a GPU).</summary>
    long? Available { get; }

    /// <summary>By how much an action raises the memory in use at its worst moment, in bytes.</summary>
    /// <param name="action">The work.</param>
    long PeakGrowth(Action action);
}

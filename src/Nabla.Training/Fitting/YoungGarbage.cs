namespace Nabla.Training;

/// <summary>
/// Collects what a step leaves on the managed heap before it spreads. The collector waits until its youngest generation is as large as a good
/// part of the last-level cache; on a server with 300 MB of it, memory grew by 4 MB every hundred steps of a small cnn for 1,400 steps. What
/// is collected here is a step's handles of tensors, nearly all of them dead: a fraction of a millisecond every few hundred steps.
/// </summary>
internal sealed class YoungGarbage
{
    private const long Most = 16 << 20; // bytes; some 300 steps of a small model
    private long _collectedAt = GC.GetTotalAllocatedBytes();

    /// <summary>Collects the youngest generation when enough has been allocated since the last time. Call it after each step.</summary>
    public void CollectIfMuch()
    {
        var allocated = GC.GetTotalAllocatedBytes();
        if (allocated - _collectedAt >= Most)
        {
            _collectedAt = allocated;
            GC.Collect(0, GCCollectionMode.Forced, blocking: true);
        }
    }
}

namespace Nabla.Core;

/// <summary>Counts tensors of the calling thread, to find leaks.</summary>
public static class TensorStatistics
{
    /// <summary>Tensors made on this thread, inside or outside scopes, that nobody has disposed yet.</summary>
    public static long Live => DisposeScopeManager.Statistics.ThreadTotalLiveCount;
}

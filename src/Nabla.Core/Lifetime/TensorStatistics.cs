namespace Nabla.Core;

/// <summary>Counts tensors, to find leaks.</summary>
public static class TensorStatistics
{
    /// <summary>Tensors made on this thread, inside or outside scopes, that nobody has disposed yet.</summary>
    public static long Live => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    /// <summary>Tensors of the whole process that are neither disposed nor collected.</summary>
    public static long LiveInProcess => Tensor.TotalCount;
}

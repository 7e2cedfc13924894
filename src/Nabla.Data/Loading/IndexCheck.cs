namespace Nabla.Data;

/// <summary>Checks example numbers before native code sees them.</summary>
internal static class IndexCheck
{
    /// <summary>Throws unless every index lies in [0, <paramref name="count"/>).</summary>
    public static void Within(string where, ReadOnlySpan<long> indices, long count)
    {
        foreach (var index in indices)
        {
            if (index < 0 || index >= count)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"{where}: expected example numbers from 0 to {count - 1}, got {index}.");
            }
        }
    }
}

namespace Nabla.Nn;

/// <summary>
/// Attention with linear biases: each head lowers the score of a key by its slope times the key's distance, so that no positions are
/// embedded and longer texts work than those seen in training. Source: Press et al. (2022), arXiv:2108.12409. Thread-safe.
/// </summary>
public static class AlibiBias
{
    /// <summary>The slopes, <c>2^(-8 i / heads)</c> for i from 1; for a number of heads that is no power of two, those of the next lower power, then every second of its double.</summary>
    /// <param name="heads">Number of heads, at least 1.</param>
    public static IReadOnlyList<double> Slopes(int heads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(heads, 1);
        var lower = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)heads + 1) / 2;
        var slopes = Powers(lower);
        return lower == heads ? [.. slopes] : [.. slopes, .. Powers(2 * lower).Where((_, index) => index % 2 == 0).Take(heads - lower)];

        static IEnumerable<double> Powers(int count) => Enumerable.Range(1, count).Select(i => Math.Pow(2, -8.0 * i / count));
    }

    /// <summary>What is added to attention scores, <c>-slope * (query - key)</c>; keys after the query get a positive number and need a causal mask, or <paramref name="isSymmetric"/>.</summary>
    /// <param name="heads">Number of heads.</param>
    /// <param name="queryTime">Number of queries; the last one stands at the last key.</param>
    /// <param name="keyTime">Number of keys.</param>
    /// <param name="isSymmetric">Whether the distance counts without its sign.</param>
    /// <param name="type">Type of the result.</param>
    /// <param name="device">Device of the result; null: the CPU.</param>
    /// <returns><c>[1, heads, queryTime, keyTime]</c>, the mask of <see cref="SafeOps.ScaledDotProductAttention"/>.</returns>
    public static Tensor Create(int heads, long queryTime, long keyTime, bool isSymmetric = false, ScalarType type = ScalarType.Float32, Device? device = null)
    {
        using var scope = NewDisposeScope();
        var slopes = torch.tensor(Slopes(heads).ToArray(), ScalarType.Float64, device).view(heads, 1, 1); // [heads, 1, 1]
        var queries = torch.arange(Number.Of(keyTime - queryTime), Number.Of(keyTime), ScalarType.Float64, device).unsqueeze(1); // [queryTime, 1]
        var distance = queries - torch.arange(Number.Of(keyTime), ScalarType.Float64, device); // [queryTime, keyTime]
        return (-slopes * (isSymmetric ? distance.abs() : distance)).unsqueeze(0).to(type).MoveToOuterDisposeScope(); // [1, heads, queryTime, keyTime]
    }
}

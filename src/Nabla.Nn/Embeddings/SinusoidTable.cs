namespace Nabla.Nn;

/// <summary>
/// Fixed position vectors: sines and cosines of wave lengths from 2 pi to 10000 * 2 pi.
/// Source: Vaswani et al. (2017), arXiv:1706.03762, section 3.5. Thread-safe.
/// </summary>
public static class SinusoidTable
{
    /// <summary>Computes the table in double precision.</summary>
    /// <param name="time">Number of positions.</param>
    /// <param name="features">Size of each vector.</param>
    /// <param name="type">Type of the result.</param>
    /// <param name="isInterleaved">Whether sines and cosines take turns (the paper); else all sines come first, then all cosines.</param>
    /// <returns><c>[time, features]</c>.</returns>
    public static Tensor Create(long time, long features, ScalarType type = ScalarType.Float32, bool isInterleaved = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(time);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(features);
        var table = new double[time, features];
        for (var position = 0L; position < time; position++)
        {
            for (var feature = 0L; feature < features; feature++)
            {
                var angle = position / Math.Pow(10000, (feature - (feature % 2)) / (double)features);
                var place = isInterleaved ? feature : (feature / 2) + (feature % 2 * ((features + 1) / 2));
                table[position, place] = feature % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
            }
        }
        using var wide = torch.tensor(table, ScalarType.Float64);
        return type == ScalarType.Float64 ? wide.alias() : wide.to(type);
    }
}

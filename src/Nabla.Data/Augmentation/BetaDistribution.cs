using Nabla.Core;

namespace Nabla.Data;

/// <summary>Draws from the symmetric Beta distribution by two Gamma draws (Marsaglia and Tsang, 2000).</summary>
internal static class BetaDistribution
{
    /// <summary>A value in [0, 1] from Beta(<paramref name="alpha"/>, <paramref name="alpha"/>), alpha above 0.</summary>
    public static double Draw(double alpha, RandomStream random)
    {
        var (first, second) = (Gamma(alpha, random), Gamma(alpha, random));
        // For tiny alpha both may fall below the smallest double: the limit is a coin.
        return first + second > 0 ? first / (first + second) : random.NextBool() ? 1 : 0;
    }

    private static double Gamma(double shape, RandomStream random)
    {
        if (shape < 1)
        {
            return Gamma(shape + 1, random) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        }
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = random.NextNormal();
            var v = Math.Pow(1 + (c * x), 3);
            if (v > 0 && Math.Log(1 - random.NextDouble()) < (0.5 * x * x) + d - (d * v) + (d * Math.Log(v)))
            {
                return d * v;
            }
        }
    }
}

namespace Nabla.Nn;

/// <summary>
/// Waves of a real-valued time, as diffusion models use them: all cosines, then all sines, of <c>t * maxPeriod^(-i / half)</c>; an odd
/// size ends with a 0. Sources: Ho et al. (2020), arXiv:2006.11239; the order is that of Dhariwal and Nichol (2021). Thread-safe.
/// </summary>
public static class TimeEmbedding
{
    /// <summary>Computes the features, angles in the type of <paramref name="times"/>.</summary>
    /// <param name="times">Times, <c>[batch]</c>.</param>
    /// <param name="size">Number of features, at least 1.</param>
    /// <param name="maxPeriod">Longest wave, divided by 2 pi, above 1.</param>
    /// <returns><c>[batch, size]</c>.</returns>
    /// <exception cref="ShapeException">The times are no list.</exception>
    public static Tensor Create(Tensor times, int size, double maxPeriod = 10000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(maxPeriod, 1);
        if (times.Dimensions != 1)
        {
            throw new ShapeException("TimeEmbedding.Create", nameof(times), "[batch]", times.Sizes());
        }
        using var scope = NewDisposeScope();
        var t = times.is_floating_point() ? times : times.to(ScalarType.Float32);
        var half = size / 2;
        double[] frequencies = [.. Enumerable.Range(0, half).Select(i => Math.Exp(-Math.Log(maxPeriod) * i / half))];
        var angles = t.unsqueeze(1) * torch.tensor(frequencies, t.dtype, t.device); // [batch, half]
        var waves = torch.cat([angles.cos(), angles.sin()], 1); // [batch, 2 * half]
        return (size % 2 == 0 ? waves : torch.cat([waves, torch.zeros_like(t).unsqueeze(1)], 1)).MoveToOuterDisposeScope();
    }
}

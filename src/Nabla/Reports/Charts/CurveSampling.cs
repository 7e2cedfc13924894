namespace Nabla;

/// <summary>Makes long curves short enough to draw, and noisy ones calm enough to read.</summary>
internal static class CurveSampling
{
    /// <summary>
    /// Keeps at most <paramref name="count"/> points that preserve the look of the curve (largest-triangle-three-buckets). Values must be finite.
    /// Source: Steinarsson (2013), Downsampling Time Series for Visual Representation, section 4.2.
    /// </summary>
    public static IReadOnlyList<ReportPoint> Thin(IReadOnlyList<ReportPoint> points, int count)
    {
        if (points.Count <= count || count < 3)
        {
            return points;
        }
        List<ReportPoint> kept = [points[0]];
        var width = (points.Count - 2) / (double)(count - 2);
        for (var bucket = 0; bucket < count - 2; bucket++)
        {
            var (start, end) = ((int)(bucket * width) + 1, (int)((bucket + 1) * width) + 1);
            var nextEnd = Math.Min((int)((bucket + 2) * width) + 1, points.Count);
            var (meanX, meanY) = (0.0, 0.0);
            for (var i = end; i < nextEnd; i++)
            {
                (meanX, meanY) = (meanX + points[i].Step, meanY + points[i].Value);
            }
            (meanX, meanY) = (meanX / Math.Max(1, nextEnd - end), meanY / Math.Max(1, nextEnd - end));
            var (last, best, bestArea) = (kept[^1], start, -1.0);
            for (var i = start; i < end; i++)
            {
                var area = Math.Abs(((last.Step - meanX) * (points[i].Value - last.Value)) - ((last.Step - (double)points[i].Step) * (meanY - last.Value)));
                (best, bestArea) = area > bestArea ? (i, area) : (best, bestArea);
            }
            kept.Add(points[best]);
        }
        kept.Add(points[^1]);
        return kept;
    }

    /// <summary>Exponential moving average, corrected for its start as Adam corrects its moments; values that are not finite stay as they are.</summary>
    /// <param name="points">The curve.</param>
    /// <param name="weight">Weight of the past, in [0, 1).</param>
    public static IReadOnlyList<ReportPoint> Smooth(IReadOnlyList<ReportPoint> points, double weight)
    {
        var (mean, correction) = (0.0, 1.0);
        List<ReportPoint> smooth = new(points.Count);
        foreach (var point in points)
        {
            if (!double.IsFinite(point.Value))
            {
                smooth.Add(point);
                continue;
            }
            mean = (weight * mean) + ((1 - weight) * point.Value);
            correction *= weight;
            smooth.Add(point with { Value = mean / (1 - correction) });
        }
        return smooth;
    }
}

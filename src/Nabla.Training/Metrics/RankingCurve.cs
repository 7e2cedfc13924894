namespace Nabla.Training;

/// <summary>Areas under curves of a score, where equal scores are taken together; exact counts in double precision.</summary>
internal static class RankingCurve
{
    /// <summary>
    /// Area under the ROC curve: the chance that a positive scores above a negative, ties counting half (Hanley and McNeil, 1982). NaN without
    /// a positive or a negative, or when a score is NaN.
    /// </summary>
    /// <param name="scores">Scores, larger for positives.</param>
    /// <param name="isPositive">Truth beside them.</param>
    public static double Roc(double[] scores, bool[] isPositive)
    {
        double wins = 0, positivesAbove = 0, negatives = 0;
        foreach (var (positive, negative) in TiesFromTheTop(scores, isPositive))
        {
            wins += negative * (positivesAbove + (positive / 2));
            (positivesAbove, negatives) = (positivesAbove + positive, negatives + negative);
        }
        return wins / (positivesAbove * negatives);
    }

    /// <summary>
    /// Average precision, the sum of precision times the step of recall (not the trapezoid). NaN without a positive, or when a score is NaN.
    /// </summary>
    /// <param name="scores">Scores, larger for positives.</param>
    /// <param name="isPositive">Truth beside them.</param>
    public static double AveragePrecision(double[] scores, bool[] isPositive)
    {
        double sum = 0, positives = 0, taken = 0;
        foreach (var (positive, negative) in TiesFromTheTop(scores, isPositive))
        {
            (positives, taken) = (positives + positive, taken + positive + negative);
            sum += positive * positives / taken;
        }
        return sum / positives;
    }

    /// <summary>How many positives and negatives share each score, largest score first.</summary>
    private static IEnumerable<(double Positive, double Negative)> TiesFromTheTop(double[] scores, bool[] isPositive)
    {
        if (scores.Any(double.IsNaN))
        {
            yield return (double.NaN, double.NaN);
            yield break;
        }
        var (keys, truth) = ((double[])scores.Clone(), (bool[])isPositive.Clone());
        Array.Sort(keys, truth);
        for (var i = keys.Length - 1; i >= 0;)
        {
            var (score, positive, negative) = (keys[i], 0, 0);
            for (; i >= 0 && keys[i] == score; i--)
            {
                (positive, negative) = truth[i] ? (positive + 1, negative) : (positive, negative + 1);
            }
            yield return (positive, negative);
        }
    }
}

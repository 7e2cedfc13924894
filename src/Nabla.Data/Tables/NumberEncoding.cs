namespace Nabla.Data;

/// <summary>
/// How one number column becomes features: optional logarithm, then <c>(x - center) / scale</c> or a mapping of quantiles to a normal
/// distribution; a missing value takes the encoded imputation. Statistics are those of the training values that are there.
/// </summary>
internal sealed record NumberEncoding
{
    // scikit-learn's bounds threshold: beyond it a quantile is taken as the threshold's, so features end at about +-5.2.
    private const double QuantileBound = 1e-7;

    public required string Column { get; init; }

    public required string Scaler { get; init; }

    public bool IsLog { get; init; }

    public double Center { get; init; }

    public double Scale { get; init; } = 1;

    /// <summary>Values at equally spaced shares from 0 to 1, for the scaler <c>quantile</c>.</summary>
    public double[]? References { get; init; }

    /// <summary>What a missing value becomes, encoded.</summary>
    public double Imputed { get; init; }

    public bool HasIndicator { get; init; }

    public static NumberEncoding Fit(NumberColumn column, TableEncoderOptions options)
    {
        var isLog = options.LogColumns.Contains(column.Name);
        var values = column.Values.Where(value => !double.IsNaN(value)).Select(value => isLog ? Log(value) : value).Order().ToArray();
        var encoding = new NumberEncoding
        {
            Column = column.Name,
            Scaler = options.ColumnScalers.GetValueOrDefault(column.Name, options.Scaler),
            IsLog = isLog,
            HasIndicator = options.MissingIndicator && values.Length < column.Count,
        };
        if (values.Length == 0)
        {
            return encoding with { Scaler = "none" }; // a column without any value holds nothing: always 0
        }
        var mean = Mean(values);
        var (center, scale) = encoding.Scaler switch
        {
            "standard" => (mean, Math.Sqrt(Mean([.. values.Select(value => (value - mean) * (value - mean))]))),
            "min-max" => (values[0], values[^1] - values[0]),
            "robust" => (Percentile(values, 0.5), Percentile(values, 0.75) - Percentile(values, 0.25)),
            _ => (0.0, 1.0),
        };
        // A constant column has no spread; rounding can leave a little of it, which must not be blown up.
        var negligible = 10 * double.Epsilon + (1e-14 * Math.Abs(center));
        encoding = encoding with
        {
            Center = center,
            Scale = scale > negligible ? scale : 1,
            References = encoding.Scaler == "quantile" ? ReferencesOf(values, Math.Min(options.Quantiles, values.Length)) : null,
        };
        return encoding with { Imputed = encoding.Transform(options.Imputation == "mean" ? mean : Percentile(values, 0.5)) };
    }

    /// <summary>Encodes a value; NaN is missing.</summary>
    public double Encode(double value) => double.IsNaN(value) ? Imputed : Transform(IsLog ? Log(value) : value);

    private double Transform(double value) => References is null ? (value - Center) / Scale : ToNormal(value, References);

    private static double Log(double value) => Math.CopySign(Math.Log(1 + Math.Abs(value)), value);

    private static double[] ReferencesOf(double[] sorted, int count)
        => count < 2 ? [sorted[0], sorted[0]] : [.. Enumerable.Range(0, count).Select(i => Percentile(sorted, (double)i / (count - 1)))];

    /// <summary>The share of training values below, the mean of looking from both sides, so that equal values get the middle of their range. As scikit-learn's QuantileTransformer, but for the smallest and largest training value, which it always sends to the ends even when a tenth of the rows have it.</summary>
    private static double ToNormal(double value, double[] references)
    {
        var share = 0.5 * (FromBelow(value, references) + FromAbove(value, references));
        share = value < references[0] ? 0 : value > references[^1] ? 1 : share;
        return NormalDistribution.Quantile(Math.Clamp(share, QuantileBound, 1 - QuantileBound));
    }

    private static double FromBelow(double value, double[] references)
    {
        // The last reference not above the value.
        var low = UpperBound(references, value) - 1;
        return Interpolate(value, references, Math.Clamp(low, 0, references.Length - 1), Math.Min(low + 1, references.Length - 1));
    }

    private static double FromAbove(double value, double[] references)
    {
        // The first reference not below the value.
        var high = LowerBound(references, value);
        return Interpolate(value, references, Math.Max(high - 1, 0), Math.Min(high, references.Length - 1), fromAbove: true);
    }

    private static double Interpolate(double value, double[] references, int low, int high, bool fromAbove = false)
    {
        var width = references[high] - references[low];
        var part = width > 0 ? Math.Clamp((value - references[low]) / width, 0, 1) : fromAbove ? 1 : 0;
        return (low + (part * (high - low))) / (references.Length - 1);
    }

    private static int UpperBound(double[] sorted, double value)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle] <= value ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    private static int LowerBound(double[] sorted, double value)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = sorted[middle] < value ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    internal static double Mean(double[] values)
    {
        var sum = 0.0;
        foreach (var value in values)
        {
            sum += value / values.Length; // divided first: the sum of large values could overflow
        }
        return sum;
    }

    /// <summary>Linear interpolation between the two nearest values, numpy's default.</summary>
    internal static double Percentile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var low = (int)place;
        var high = Math.Min(low + 1, sorted.Length - 1);
        return sorted[low] + ((place - low) * (sorted[high] - sorted[low]));
    }
}

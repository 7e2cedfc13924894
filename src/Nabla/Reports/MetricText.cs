using System.Globalization;

namespace Nabla;

/// <summary>Metric names and values as people read them. Thread-safe.</summary>
public static class MetricText
{
    // Metrics in [0, 1] that are read as shares.
    private static readonly HashSet<string> Shares = new(StringComparer.Ordinal)
    {
        "accuracy", "top5-accuracy", "top3-accuracy", "balanced-accuracy", "precision", "recall", "f1", "macro-precision", "macro-recall", "macro-f1",
        "exact-match", "wer",
    };

    // Metrics of which less is better; every other is better when larger.
    private static readonly string[] LowerWords = ["loss", "rmse", "mae", "mse", "perplexity", "ece", "wer", "cer", "error", "nll", "brier", "mape"];

    /// <summary>The part before the slash: train, validation, test, or empty when there is none.</summary>
    /// <param name="name">Metric name, <c>split/metric</c>.</param>
    public static string Split(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? "" : name[..slash];
    }

    /// <summary>The part after the slash, such as <c>accuracy</c>.</summary>
    /// <param name="name">Metric name, <c>split/metric</c>.</param>
    public static string Measure(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..];
    }

    /// <summary>Whether a larger value is better, judged by the name: not so for losses, errors and perplexity.</summary>
    /// <param name="name">Metric name, with or without its split.</param>
    public static bool HigherIsBetter(string name) =>
        !Measure(name).Split('-').Any(word => LowerWords.Contains(word, StringComparer.Ordinal));

    /// <summary>Whether the metric is a share of all, in [0, 1].</summary>
    /// <param name="name">Metric name, with or without its split.</param>
    public static bool IsShare(string name) => Shares.Contains(Measure(name));

    /// <summary>A value with its unit: shares in percent, others with four significant digits.</summary>
    /// <param name="name">Metric name, with or without its split.</param>
    /// <param name="value">The value; may be NaN.</param>
    public static string Value(string name, double value) => IsShare(name) && double.IsFinite(value)
        ? string.Create(CultureInfo.InvariantCulture, $"{value * 100:0.00} %")
        : Number(value);

    /// <summary>A number with four significant digits, thousands separated; <c>NaN</c> and infinities by name.</summary>
    /// <param name="value">The number.</param>
    public static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "infinite" : "-infinite";
        }
        var size = Math.Abs(value);
        var format = size switch
        {
            0 => "0",
            >= 1e15 or < 1e-4 => "0.###e0",
            >= 1000 => "#,##0",
            >= 100 => "0.0",
            >= 10 => "0.00",
            >= 1 => "0.000",
            >= 0.1 => "0.0000",
            _ => "0.00000",
        };
        return value.ToString(format, CultureInfo.InvariantCulture);
    }

    /// <summary>A count with separated thousands, <c>1,234,567</c>.</summary>
    /// <param name="value">The count.</param>
    public static string Count(long value) => value.ToString("#,##0", CultureInfo.InvariantCulture);

    /// <summary>A large count in short: <c>1.23 M</c>, <c>45.6 k</c>.</summary>
    /// <param name="value">The count.</param>
    public static string ShortCount(long value)
    {
        var size = Math.Abs((double)value);
        var (scaled, unit) = size switch
        {
            >= 1e12 => (value / 1e12, " T"),
            >= 1e9 => (value / 1e9, " G"),
            >= 1e6 => (value / 1e6, " M"),
            >= 1e4 => (value / 1e3, " k"),
            _ => (value, ""),
        };
        return unit.Length == 0 ? Count(value) : string.Create(CultureInfo.InvariantCulture, $"{scaled:0.##}{unit}");
    }

    /// <summary>A size in bytes: <c>1.4 GB</c> (powers of 1,000).</summary>
    /// <param name="bytes">The size.</param>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };

    /// <summary>A duration: <c>41.2 s</c>, <c>3 min 07 s</c>, <c>2 h 05 min</c>, <c>3 d 04 h</c>.</summary>
    /// <param name="duration">The duration.</param>
    public static string Duration(TimeSpan duration)
    {
        if (duration.TotalSeconds < 59.95)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.0} s");
        }
        var whole = TimeSpan.FromSeconds(Math.Round(duration.TotalSeconds));
        return whole switch
        {
            { TotalHours: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{whole.Minutes} min {whole.Seconds:00} s"),
            { TotalDays: < 1 } => string.Create(CultureInfo.InvariantCulture, $"{whole.Hours} h {whole.Minutes:00} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{whole.Days} d {whole.Hours:00} h"),
        };
    }
}

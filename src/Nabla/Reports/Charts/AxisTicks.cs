using System.Globalization;

namespace Nabla;

/// <summary>Round numbers along an axis.</summary>
/// <param name="Low">Lower end of the axis.</param>
/// <param name="High">Upper end of the axis, above <paramref name="Low"/>.</param>
/// <param name="Values">The marks, from low to high, all within the axis.</param>
internal sealed record AxisTicks(double Low, double High, IReadOnlyList<double> Values)
{
    /// <summary>An axis over the given range with about <paramref name="count"/> marks at 1, 2 or 5 times a power of ten.</summary>
    /// <param name="low">Smallest value; finite.</param>
    /// <param name="high">Largest value; finite. Equal ends are moved apart.</param>
    /// <param name="count">Marks wanted.</param>
    /// <param name="whole">Whether only whole numbers make sense.</param>
    public static AxisTicks For(double low, double high, int count, bool whole = false)
    {
        if (!(high > low) || !double.IsFinite((high - low) / count) || (high - low) / count < Math.Max(Math.Abs(low), Math.Abs(high)) * 1e-13)
        {
            var half = Math.Max(Math.Abs(low) * 0.05, whole ? 1 : 1e-3);
            (low, high) = whole ? (low, low + 1) : (low - half, low + half);
        }
        var step = Step((high - low) / count);
        step = whole ? Math.Max(1, Math.Round(step)) : step;
        var values = Marks(low, high, step);
        while (values.Count < 2 && (!whole || step > 1))
        {
            step = whole ? Math.Max(1, Math.Floor(step / 2)) : Step(step / 2.5);   // 5 -> 2 -> 1: a large step may miss a short axis
            values = Marks(low, high, step);
        }
        return new(low, high, values);
    }

    private static List<double> Marks(double low, double high, double step)
    {
        List<double> values = [];
        for (var i = Math.Ceiling((low / step) - 1e-9); i * step <= high + (step * 1e-9); i++)
        {
            values.Add(i == 0 ? 0 : Math.Clamp(i * step, low, high));   // a mark at an end may lie a rounding beyond it
        }
        return values;
    }

    /// <summary>The mark as text, with the same number of decimals for the whole axis.</summary>
    /// <param name="value">One of <see cref="Values"/>.</param>
    /// <param name="factor">What it is multiplied by: 100 for percent.</param>
    public string Label(double value, double factor = 1)
    {
        value *= factor;
        var step = factor * (Values.Count > 1 ? Values[1] - Values[0] : High - Low);
        var size = factor * Math.Max(Math.Abs(Values.Count > 0 ? Values[^1] : High), Math.Abs(Values.Count > 0 ? Values[0] : Low));
        var (scale, unit) = size switch
        {
            _ when step < size * 1e-5 => (1.0, ""),   // a unit would hide the difference
            >= 1e9 => (1e9, "G"),
            >= 1e6 => (1e6, "M"),
            >= 1e4 => (1e3, "k"),
            _ => (1.0, ""),
        };
        if (size is > 0 and < 1e-3)
        {
            return value == 0 ? "0" : value.ToString("0.##e0", CultureInfo.InvariantCulture);
        }
        var decimals = Math.Clamp(-(int)Math.Floor(Math.Log10(step / scale) + 1e-9), 0, 12);
        return value == 0 ? "0" : (value / scale).ToString($"F{decimals}", CultureInfo.InvariantCulture) + unit;
    }

    /// <summary>The smallest of 1, 2 and 5 times a power of ten that is not below <paramref name="wanted"/>.</summary>
    private static double Step(double wanted)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(wanted)));
        var mantissa = wanted / power;
        return power * (mantissa <= 1 + 1e-9 ? 1 : mantissa <= 2 + 1e-9 ? 2 : mantissa <= 5 + 1e-9 ? 5 : 10);
    }
}

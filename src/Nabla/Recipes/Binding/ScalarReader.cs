using System.Globalization;
using System.Text.RegularExpressions;

namespace Nabla;

/// <summary>Reads plain scalars by the core schema of YAML 1.2 (section 10.3), in which <c>no</c> is text and <c>3e-3</c> a number.</summary>
internal static partial class ScalarReader
{
    public static bool IsNull(string value) => value is "" or "~" or "null" or "Null" or "NULL";

    public static bool TryReadBoolean(string value, out bool result)
    {
        result = value is "true" or "True" or "TRUE";
        return result || value is "false" or "False" or "FALSE";
    }

    /// <summary>Reads an integer; a number such as 1e4 or 2.0 that has no fraction is one too.</summary>
    public static bool TryReadInteger(string value, out long result)
    {
        if (IntegerPattern().IsMatch(value))
        {
            return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out result);
        }
        // 2^53: beyond it a double no longer holds every integer.
        if (TryReadDouble(value, out var number) && Math.Abs(number) <= 9007199254740992 && Math.Floor(number) == number)
        {
            result = (long)number;
            return true;
        }
        result = 0;
        return false;
    }

    /// <summary>Reads a number; <c>.inf</c> is one, <c>.nan</c> is not.</summary>
    public static bool TryReadDouble(string value, out double result)
    {
        if (NumberPattern().IsMatch(value))
        {
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out result) && double.IsFinite(result);
        }
        result = value switch
        {
            ".inf" or ".Inf" or ".INF" or "+.inf" or "+.Inf" or "+.INF" => double.PositiveInfinity,
            "-.inf" or "-.Inf" or "-.INF" => double.NegativeInfinity,
            _ => double.NaN,
        };
        return !double.IsNaN(result);
    }

    [GeneratedRegex(@"^[-+]?[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex IntegerPattern();

    [GeneratedRegex(@"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberPattern();
}

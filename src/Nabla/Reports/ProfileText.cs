using System.Globalization;
using Nabla.Training;

namespace Nabla;

/// <summary>Figures of a profile for people, the same on the console and in the report.</summary>
public static class ProfileText
{
    /// <summary>Milliseconds with three significant digits or so, such as <c>12.4</c>.</summary>
    /// <param name="milliseconds">The time.</param>
    public static string Time(double milliseconds) => milliseconds.ToString(milliseconds >= 100 ? "0" : milliseconds >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    /// <summary>A share as a percentage, such as <c>41.3 %</c>.</summary>
    /// <param name="share">In [0, 1].</param>
    public static string Share(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %");

    /// <summary>Bytes as megabytes, such as <c>36.0 MB</c>.</summary>
    /// <param name="bytes">The number; may be negative, where more is freed than taken.</param>
    public static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");

    /// <summary>A layer's path; the model itself is called by its class.</summary>
    /// <param name="layer">The layer.</param>
    public static string Name(ProfiledLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        return layer.Path.Length == 0 ? layer.Type : layer.Path;
    }

    /// <summary>What a table shows, such as <c>Layers, the 25 with the longest own time of 60</c>.</summary>
    /// <param name="what">What the rows are.</param>
    /// <param name="shown">Rows at most.</param>
    /// <param name="all">Rows there are.</param>
    public static string Caption(string what, int shown, int all)
        => all <= shown ? $"{what}, the longest own time first" : string.Create(CultureInfo.InvariantCulture, $"{what}, the {shown} with the longest own time of {all}");
}

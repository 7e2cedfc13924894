using System.Globalization;

namespace Nabla.Cli;

/// <summary>Text as the display writes it.</summary>
internal static class DisplayText
{
    /// <summary>One line without control characters, so that no name or message can steer the terminal.</summary>
    public static string Line(string text) => text.AsSpan().ContainsAnyInRange('\0', '\u001f') || text.AsSpan().ContainsAnyInRange('\u007f', '\u009f')
        ? string.Create(text.Length, text, static (target, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                target[i] = char.IsControl(source[i]) ? ' ' : source[i];
            }
        })
        : text;

    /// <summary>A time as a clock shows it: <c>0:41</c>, <c>12:05</c>, <c>1:02:09</c>.</summary>
    public static string Clock(TimeSpan time)
    {
        time = TimeSpan.FromSeconds(Math.Round(time.TotalSeconds));
        return time.TotalHours >= 1
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalHours}:{time.Minutes:00}:{time.Seconds:00}")
            : string.Create(CultureInfo.InvariantCulture, $"{time.Minutes}:{time.Seconds:00}");
    }

    /// <summary>A learning rate: <c>0.003</c>, <c>2.1e-5</c>.</summary>
    public static string Rate(double value) => value is 0 or >= 1e-3
        ? value.ToString("0.#####", CultureInfo.InvariantCulture)
        : value.ToString("0.##e-0", CultureInfo.InvariantCulture);

    /// <summary>A share as whole percent, never 100 before it is done.</summary>
    public static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{(share >= 1 ? 100 : Math.Min(99, Math.Floor(share * 100))):0} %");
}

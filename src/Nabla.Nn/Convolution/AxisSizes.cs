using System.Globalization;

namespace Nabla.Nn;

/// <summary>Numbers that stand for each axis of a picture, sequence or volume: one for all axes, or one for each.</summary>
internal static class AxisSizes
{
    /// <summary>One number for each axis.</summary>
    public static long[] Expand(IReadOnlyList<int> sizes, int axes) => sizes.Count == 1
        ? [.. Enumerable.Repeat((long)sizes[0], axes)]
        : [.. sizes.Select(size => (long)size)];

    /// <summary>Notes a problem unless there are 1 or <paramref name="axes"/> numbers of at least <paramref name="least"/>.</summary>
    public static OptionsCheck RequireSizes(this OptionsCheck check, string name, IReadOnlyList<int>? sizes, int axes, int least)
        => check.Require(sizes is null || ((sizes.Count == 1 || sizes.Count == axes) && sizes.All(size => size >= least)), string.Create(CultureInfo.InvariantCulture,
            $"{name} must be one number for all axes, or one for each of {axes}, each at least {least}; it is [{string.Join(", ", sizes ?? [])}]."));

    /// <summary>The layout of feature maps, such as <c>[batch, channels=3, height, width]</c>.</summary>
    public static string Layout(int axes, long? channels = null)
    {
        var names = axes switch { 1 => "time", 2 => "height, width", _ => "depth, height, width" };
        return channels is { } count ? string.Create(CultureInfo.InvariantCulture, $"[batch, channels={count}, {names}]") : $"[batch, channels, {names}]";
    }
}

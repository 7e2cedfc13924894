using System.Globalization;
using System.Text.Json.Serialization;
using Nabla.Core;

namespace Nabla.Data;

/// <summary>One picture of a data set, to be shown to a person.</summary>
public sealed record PictureSample
{
    private const int Most = 10;

    /// <summary>Its class.</summary>
    public required string Label { get; init; }

    /// <summary>Width in pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels.</summary>
    public required int Height { get; init; }

    /// <summary>1: grey, 3: red, green and blue.</summary>
    public required int Channels { get; init; }

    /// <summary>Mean of its pixels, as <c>#rrggbb</c>.</summary>
    public required string MeanColour { get; init; }

    /// <summary>The pixels <c>[channels, height, width]</c>, 0 to 255; they are not written to JSON.</summary>
    [JsonIgnore]
    public IReadOnlyList<byte> Pixels { get; init; } = [];

    /// <summary>The first training picture of each class, in the order of the classes.</summary>
    /// <param name="data">The pictures.</param>
    public static IReadOnlyList<PictureSample> OfEachClass(ImageData data)
    {
        ArgumentNullException.ThrowIfNull(data);
        return [.. Enumerable.Range(0, data.Classes.Count)
            .Select(id => Array.IndexOf(data.Train.Labels, id))
            .Where(index => index >= 0)
            .Take(Most)
            .Select(index => Of(data.Train.Images, index, data.Classes[(int)data.Train.Labels[index]]))];
    }

    /// <summary>The picture in words.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Label}: {(Channels == 1 ? "grey" : "colour")} picture, {Width} x {Height} pixels, mean {MeanColour}");

    /// <summary>The colour of a pixel; of a grey picture all three are equal.</summary>
    /// <param name="row">Row, from the top.</param>
    /// <param name="column">Column, from the left.</param>
    public (byte Red, byte Green, byte Blue) At(int row, int column)
    {
        byte Value(int channel) => Pixels[(((channel < Channels ? channel : 0) * Height) + row) * Width + column];
        return (Value(0), Value(1), Value(2));
    }

    private static PictureSample Of(Tensor pictures, int index, string label)
    {
        using var scope = NewDisposeScope();
        var pixels = pictures[index].cpu().contiguous();   // [channels, height, width]
        var means = pixels.to_type(ScalarType.Float32).mean([1, 2]).round().data<float>().ToArray();   // [channels]
        return new()
        {
            Label = label,
            Channels = (int)pixels.Sizes()[0],
            Height = (int)pixels.Sizes()[1],
            Width = (int)pixels.Sizes()[2],
            MeanColour = "#" + Convert.ToHexStringLower([.. Enumerable.Range(0, 3).Select(channel => (byte)means[channel < means.Length ? channel : 0])]),
            Pixels = pixels.data<byte>().ToArray(),
        };
    }
}

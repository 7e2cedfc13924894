using System.Text.Json;
using Nabla.Core;
using Nabla.Testing;

namespace Nabla.Data.Tests;

/// <summary>Decoding and scaling against Pillow, for every picture and case in the golden folders.</summary>
public sealed class ImageGoldenTests
{
    private const string Area = "families-vision-audio/preprocess";

    public static TheoryData<string, string> Images => Listed("images", "images");

    public static TheoryData<string, string> Refused => Listed("refused", "images-broken");

    public static IEnumerable<TheoryDataRow<GoldenCase>> Resizes => Golden.Rows(Area).Where(row => row.Data.File == "resize");

    private static TheoryData<string, string> Listed(string property, string subfolder)
    {
        var rows = new TheoryData<string, string>();
        foreach (var folder in Golden.Folders(Area))
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "images.json")));
            foreach (var file in document.RootElement.GetProperty(property).EnumerateObject())
            {
                rows.Add(Path.Combine(folder, subfolder), file.Name);
            }
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Images))]
    public void Decode_EqualsPillow(string folder, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "..", "images.json")));
        var facts = document.RootElement.GetProperty("images").GetProperty(file);
        using var scope = NewDisposeScope();
        var decoded = SafeTensorsFile.Read(Path.Combine(folder, "..", "decoded.safetensors")); // its reader knows 16 bits without sign
        // Pillow clips 16-bit grey at 255; we keep its high byte, as it does for colours.
        var deep = facts.GetProperty("mode").GetString() == "I;16";
        var key = new[] { "upright", "rgb-on-white", "rgb", "raw" }.Select(kind => $"{file}/{kind}").First(key => decoded.ContainsKey(key) && !(deep && key.EndsWith("/rgb", StringComparison.Ordinal)));
        var (expected, shape) = (TensorAssert.Doubles(decoded[key]), decoded[key].shape);
        // Other JPEG decoders round differently by up to 2 levels; CMYK adds the rounding of its product with black.
        var tolerance = facts.GetProperty("format").GetString() == "JPEG" ? 2 : 0;

        var image = ImageFile.Read(Path.Combine(folder, file));

        Assert.Equal((shape[0], shape[1]), (image.Height, image.Width));
        var area = image.Height * image.Width;
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            var want = shape.Length == 3 ? expected[((i % area) * 3) + (i / area)] : deep ? Math.Floor(expected[i % area] / 256) : expected[i % area];
            Assert.InRange(image.Pixels[i], want - tolerance, want + tolerance);
        }
        if (decoded.ContainsKey($"{file}/l") && !decoded.ContainsKey($"{file}/rgb-on-white") && !deep && facts.GetProperty("mode").GetString() is not ("RGBA" or "LA"))
        {
            var grey = ImageFile.Read(Path.Combine(folder, file), new() { Channels = 1 });
            var lightness = TensorAssert.Doubles(decoded[$"{file}/l"]);
            Assert.Equal(lightness.Length, grey.Pixels.Length);
            Assert.All(grey.Pixels, (value, i) => Assert.InRange(value, lightness[i] - tolerance, lightness[i] + tolerance));
        }
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Decode_BrokenFile_IsRefusedByName(string folder, string file)
    {
        var error = Assert.Throws<DataException>(() => ImageFile.Read(Path.Combine(folder, file)));
        Assert.Contains(file, error.Message);
    }

    [Theory]
    [MemberData(nameof(Resizes))]
    public void Resize_EqualsPillow(GoldenCase golden)
    {
        var json = golden.Json;
        Assert.SkipUnless(json.GetProperty("filter").GetString() == "bilinear" && json.GetProperty("operation").GetString() == "resize",
            $"Only bilinear resizing is built, not {json.GetProperty("operation")} with {json.GetProperty("filter")}.");
        Assert.SkipUnless(json.GetProperty("box").ValueKind == JsonValueKind.Null && json.GetProperty("reducing_gap").ValueKind == JsonValueKind.Null, "Boxes and reducing gaps are not built.");
        Assert.SkipUnless(json.GetProperty("mode").GetString() is "RGB" or "L", $"Pictures have 1 or 3 channels of 8 bits, not mode {json.GetProperty("mode")}.");
        var folder = Path.GetDirectoryName(golden.Path)!;
        var image = ImageFile.Read(Path.Combine(folder, "images", json.GetProperty("image").GetString()!), new() { Channels = json.GetProperty("mode").GetString() == "L" ? 1 : 3 });
        var size = json.GetProperty("size_width_height");
        var expected = GoldenTensors.Read(Path.ChangeExtension(golden.Path, ".safetensors")).Doubles(golden.Name);

        var actual = ImageResize.Bilinear(image, size[1].GetInt32(), size[0].GetInt32());

        var area = actual.Height * actual.Width;
        Assert.Equal(expected, Enumerable.Range(0, expected.Length).Select(i => (double)actual.Pixels[(i % actual.Channels * area) + (i / actual.Channels)]));
    }
}

using System.Text.Json;
using Nabla.Testing;

namespace Nabla.Data.Tests;

/// <summary>Augmentations with given parameters against their reference, for every case in the golden folders.</summary>
public sealed class AugmentationGoldenTests
{
    private const string Area = "families-vision-audio/augment";

    public static IEnumerable<TheoryDataRow<GoldenCase>> Pixels => Golden.Rows(Area).Where(row => row.Data.File == "pixels");

    public static TheoryData<string, string> Mixtures
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (var path in MixtureFiles)
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(path));
                foreach (var mix in document.RootElement.GetProperty("mix").GetProperty("cases").EnumerateObject())
                {
                    rows.Add(path, mix.Name);
                }
            }
            return rows;
        }
    }

    public static TheoryData<string> MixtureFiles => [.. Golden.Folders(Area).Select(folder => Path.Combine(folder, "mixtures.json"))];

    [Theory, LeaksNoTensors]
    [MemberData(nameof(Pixels))]
    public void Colour_EqualsTheReference(GoldenCase golden)
    {
        using var scope = NewDisposeScope();
        var operation = golden.Json.GetProperty("operation").GetString()!;
        Func<Tensor, Tensor, Tensor>? change = operation switch
        {
            "brightness (float tensor)" => PictureOps.Brightness,
            "contrast (float tensor)" => PictureOps.Contrast,
            "saturation (float tensor)" => PictureOps.Saturation,
            "hue (float tensor)" => PictureOps.Hue,
            "flip-left-right" => (pictures, _) => PictureOps.FlipColumns(pictures, [true]).mul(255),
            "flip-top-bottom" => (pictures, _) => PictureOps.FlipRows(pictures, [true]).mul(255),
            _ => null,
        };
        Assert.SkipUnless(change is not null, $"{operation} is not built.");
        var image = ImageFile.Read(Path.Combine(Path.GetDirectoryName(golden.Path)!, "image.png"));
        var expected = GoldenTensors.Read(Path.ChangeExtension(golden.Path, ".safetensors")).Tensor(golden.Name);
        var flip = operation.StartsWith("flip", StringComparison.Ordinal);
        var (height, width) = flip ? (image.Height, image.Width) : ((int)expected.shape[1], (int)expected.shape[2]);
        var pictures = image.Crop(0, 0, height, width).ToTensor().unsqueeze(0).to_type(float32).div(255);
        var factor = golden.Json.TryGetProperty("factor", out var value) ? value.GetSingle() : 0;

        var actual = change(pictures, torch.tensor(new[] { factor }, [1, 1, 1, 1])).squeeze(0);

        var reference = flip ? expected.permute(2, 0, 1).to_type(float32) : expected;
        TensorAssert.Close(reference, actual, absolute: flip ? 1e-4 : operation.StartsWith("hue", StringComparison.Ordinal) ? 2e-6 : 1e-6, relative: 0);
    }

    [Theory, LeaksNoTensors]
    [MemberData(nameof(Mixtures))]
    public void Mix_EqualsTheReference(string path, string name)
    {
        using var scope = NewDisposeScope();
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var facts = document.RootElement.GetProperty("mix").GetProperty("cases").GetProperty(name);
        var tensors = GoldenTensors.Read(Path.ChangeExtension(path, ".safetensors"));
        Assert.SkipUnless(tensors.Has($"mix/{name}/images"), $"{name} mixes no pictures.");
        var pictures = tensors.Tensor("mix/in");
        var partners = tensors.Tensor("mix/partner").data<long>().ToArray();
        var (height, width) = ((int)pictures.shape[2], (int)pictures.shape[3]);
        var expectedTargets = tensors.Tensor($"mix/{name}/targets");
        var targets = PictureOps.MixableTargets(name, tensors.Tensor("mix/labels"), (int)expectedTargets.shape[1]);

        Tensor actual;
        float share;
        if (facts.TryGetProperty("lambda_drawn", out var drawn))
        {
            var (centre, corners) = (facts.GetProperty("centre_x_y"), facts.GetProperty("box_x0_y0_x1_y1"));
            var box = CutMix.Box(height, width, drawn.GetDouble(), centre[1].GetInt32(), centre[0].GetInt32());
            Assert.Equal([corners[0].GetInt32(), corners[1].GetInt32(), corners[2].GetInt32(), corners[3].GetInt32()], new[] { box.Left, box.Top, box.Left + box.Width, box.Top + box.Height });
            share = CutMix.Share(height, width, box);
            Assert.Equal(facts.GetProperty("lambda_from_box").GetSingle(), share);
            actual = PictureOps.Paste(pictures, partners, [.. partners.Select(_ => box)]);
        }
        else
        {
            share = facts.GetProperty("lambda").GetSingle();
            actual = PictureOps.Mix(pictures, partners, [.. partners.Select(_ => share)]);
        }
        TensorAssert.Close(tensors.Tensor($"mix/{name}/images"), actual, absolute: 1e-6, relative: 0);
        TensorAssert.Close(expectedTargets, PictureOps.Mix(targets, partners, [.. partners.Select(_ => share)]), absolute: 1e-6, relative: 0);
    }

    [Theory, LeaksNoTensors]
    [MemberData(nameof(MixtureFiles))]
    public void EraseAndCrop_EqualTheReference(string path)
    {
        using var scope = NewDisposeScope();
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        var tensors = GoldenTensors.Read(Path.ChangeExtension(path, ".safetensors"));
        var erase = document.RootElement.GetProperty("erase");
        PixelBox[] boxes = [.. erase.GetProperty("rectangles_top_left_height_width").EnumerateArray().Select(box => new PixelBox(box[0].GetInt32(), box[1].GetInt32(), box[2].GetInt32(), box[3].GetInt32()))];
        float[] colour = [.. erase.GetProperty("value_per_channel").EnumerateArray().Select(value => value.GetSingle())];
        var pictures = tensors.Tensor("mix/in");
        TensorAssert.Equal(tensors.Tensor("erase/out"), PictureOps.Erase(pictures.narrow(0, 0, 2).contiguous(), boxes, [colour, colour]));

        var first = pictures.narrow(0, 0, 1).contiguous();
        TensorAssert.Equal(tensors.Tensor("crop/reflect-2"), PictureOps.PaddedCrop(first, [3], [1], 2, null).squeeze(0));
        TensorAssert.Equal(tensors.Tensor("crop/zero-2"), PictureOps.PaddedCrop(first, [0], [4], 2, [0, 0]).squeeze(0));
    }
}

using CsCheck;
using Nabla.Core;
using Nabla.Testing;

namespace Nabla.Data.Tests;

public sealed class AugmentationTests
{
    private const int Count = 5, Channels = 3, Height = 6, Width = 7;
    private static readonly AugmentationContext s_context = new() { Classes = 4, Channels = Channels, Height = Height, Width = Width };
    private static readonly PixelNormalization s_pixels = new() { Mean = [0.4, 0.5, 0.3], StandardDeviation = [0.2, 0.3, 0.25] };

    public static TheoryData<string> AllNames => [.. Augmentations.Names];

    private static Tensor Pictures(int count = Count, int channels = Channels, int height = Height, int width = Width, long seed = 1)
    {
        var random = RandomStream.At(seed, RandomPurpose.Other);
        return torch.tensor(Enumerable.Range(0, count * channels * height * width).Select(_ => (float)random.NextDouble()).ToArray(), [count, channels, height, width]);
    }

    private static Batch MakeBatch(int count = Count) => new([
        KeyValuePair.Create(Batch.Inputs, Pictures(count)),
        KeyValuePair.Create(Batch.Targets, torch.tensor(Enumerable.Range(0, count).Select(i => (long)(i % 4)).ToArray())),
    ]);

    private static IBatchTransform Make(string name, AugmentationContext? context = null, params (string, object?)[] options)
        => Augmentations.Create(name, options.ToDictionary(pair => pair.Item1, pair => pair.Item2), context ?? s_context);

    private static RandomStream Random(long number = 0) => RandomStream.At(7, RandomPurpose.Augmentation, number);

    /// <summary>Every value of the result, computed from its place by the given rule.</summary>
    private static void AssertPixels(Tensor actual, Func<int, int, int, int, float> rule)
    {
        var shape = actual.shape;
        var values = actual.data<float>().ToArray();
        var place = 0;
        for (var i = 0; i < shape[0]; i++)
        {
            for (var c = 0; c < shape[1]; c++)
            {
                for (var y = 0; y < shape[2]; y++)
                {
                    for (var x = 0; x < shape[3]; x++)
                    {
                        Assert.Equal(rule(i, c, y, x), values[place++], 1e-6f);
                    }
                }
            }
        }
    }

    [Theory, LeaksNoTensors]
    [MemberData(nameof(AllNames))]
    public void Apply_SameStream_GivesTheSameBitsAndKeepsTheShape(string name)
    {
        var transform = Make(name);
        Assert.Equal(name, transform.Name);
        using Batch first = MakeBatch(), second = MakeBatch(), other = MakeBatch();
        transform.Apply(first, Random());
        transform.Apply(second, Random());
        transform.Apply(other, Random(1));
        TensorAssert.Equal(first[Batch.Inputs], second[Batch.Inputs]);
        TensorAssert.HasShape([Count, Channels, Height, Width], first[Batch.Inputs]);
        TensorAssert.Finite(first[Batch.Inputs]);
        using var scope = NewDisposeScope();
        Assert.False(first[Batch.Inputs].equal(other[Batch.Inputs]).all().item<bool>());
    }

    [Theory, LeaksNoTensors]
    [MemberData(nameof(AllNames))]
    public void Apply_WrongShapeOrType_IsRefused(string name)
    {
        using Batch small = new([KeyValuePair.Create(Batch.Inputs, zeros(2, 3, 4, 4))]), bytes = new([KeyValuePair.Create(Batch.Inputs, zeros([2, 3, Height, Width], uint8))]);
        Assert.Contains("channels=3, height=6, width=7], got [2, 3, 4, 4]", Assert.Throws<ShapeException>(() => Make(name).Apply(small, Random())).Message);
        Assert.Contains("float32", Assert.Throws<DataException>(() => Make(name).Apply(bytes, Random())).Message);
    }

    [Fact, LeaksNoTensors]
    public void PaddedCrop_EqualsTheDefinition()
        => Gen.Select(Gen.Int[0, 5], Gen.Bool, Gen.Long).Sample((padding, reflect, seed) =>
        {
            using var scope = NewDisposeScope();
            var random = Random(seed);
            var pictures = Pictures();
            var source = pictures.data<float>().ToArray();
            int[] tops = [.. Enumerable.Range(0, Count).Select(_ => random.NextInt(0, (2 * padding) + 1))], lefts = [.. Enumerable.Range(0, Count).Select(_ => random.NextInt(0, (2 * padding) + 1))];
            float[] fill = [0.1f, 0.2f, 0.3f];
            static int Fold(int place, int size) => place < 0 ? -place : place >= size ? (2 * (size - 1)) - place : place;
            AssertPixels(PictureOps.PaddedCrop(pictures, tops, lefts, padding, reflect ? null : fill), (i, c, y, x) =>
            {
                var (row, column) = (y + tops[i] - padding, x + lefts[i] - padding);
                return row is >= 0 and < Height && column is >= 0 and < Width ? source[(((((i * Channels) + c) * Height) + row) * Width) + column]
                    : reflect ? source[(((((i * Channels) + c) * Height) + Fold(row, Height)) * Width) + Fold(column, Width)] : fill[c];
            });
        }, iter: 50);

    [Fact, LeaksNoTensors]
    public void Flips_EqualTheDefinition()
    {
        using var scope = NewDisposeScope();
        var pictures = Pictures();
        var source = pictures.data<float>().ToArray();
        bool[] chosen = [true, false, true, true, false];
        float At(int i, int c, int y, int x) => source[(((((i * Channels) + c) * Height) + y) * Width) + x];
        AssertPixels(PictureOps.FlipColumns(pictures, chosen), (i, c, y, x) => At(i, c, y, chosen[i] ? Width - 1 - x : x));
        AssertPixels(PictureOps.FlipRows(pictures, chosen), (i, c, y, x) => At(i, c, chosen[i] ? Height - 1 - y : y, x));
    }

    [Fact, LeaksNoTensors]
    public void EraseAndPaste_EqualTheDefinition()
    {
        using var scope = NewDisposeScope();
        var pictures = Pictures();
        var source = pictures.data<float>().ToArray();
        PixelBox[] boxes = [new(0, 0, Height, Width), new(1, 2, 3, 4), default, new(5, 6, 1, 1), new(2, 0, 1, 7)];
        long[] partners = [4, 0, 1, 1, 2];
        float[][] colours = [.. Enumerable.Range(0, Count).Select(i => new[] { i, i + 0.25f, i + 0.5f })];
        float At(long i, int c, int y, int x) => source[(((((i * Channels) + c) * Height) + y) * Width) + x];
        bool Inside(int i, int y, int x) => y >= boxes[i].Top && y < boxes[i].Top + boxes[i].Height && x >= boxes[i].Left && x < boxes[i].Left + boxes[i].Width;
        AssertPixels(PictureOps.Erase(pictures, boxes, colours), (i, c, y, x) => Inside(i, y, x) ? colours[i][c] : At(i, c, y, x));
        AssertPixels(PictureOps.Paste(pictures, partners, boxes), (i, c, y, x) => At(Inside(i, y, x) ? partners[i] : i, c, y, x));
    }

    [Fact, LeaksNoTensors]
    public void Rotate_ByRightAngles_MovesPixelsCounterClockwise()
    {
        using var scope = NewDisposeScope();
        var pictures = Pictures(4, 2, 5, 5);
        var source = pictures.data<float>().ToArray();
        float At(int i, int c, int y, int x) => source[(((((i * 2) + c) * 5) + y) * 5) + x];
        var turned = PictureOps.Rotate(pictures, [0, 90, 180, -90], [0, 0]);
        AssertPixels(turned, (i, c, y, x) => i switch
        {
            0 => At(i, c, y, x),
            1 => At(i, c, x, 4 - y), // what is right comes up
            2 => At(i, c, 4 - y, 4 - x),
            _ => At(i, c, 4 - x, y),
        });
    }

    [Fact, LeaksNoTensors]
    public void Rotate_OfAWidePicture_KeepsDistancesAndFillsTheOutside()
    {
        using var scope = NewDisposeScope();
        // A dot 3 pixels right of the centre must come to 3 pixels above it, also where height and width differ.
        var picture = torch.full([1, 1, 9, 13], 0.5f);
        picture[0, 0, 4, 9] = 1;
        var turned = PictureOps.Rotate(picture, [90], [0.25f]).data<float>().ToArray();
        Assert.Equal(1f, turned[(1 * 13) + 6], 1e-5f);
        Assert.Equal(0.25f, turned[0], 1e-6f); // outside of the picture
    }

    [Fact, LeaksNoTensors]
    public void ResizedCrop_OfADoubledPart_EqualsBilinearInterpolation()
    {
        using var scope = NewDisposeScope();
        // On a plane a + b x + c y bilinear interpolation is exact away from the border.
        var plane = torch.tensor(Enumerable.Range(0, 8 * 8).Select(p => (float)((2 * (p % 8)) + (10 * (p / 8)))).ToArray(), [1, 1, 8, 8]);
        AssertPixels(PictureOps.ResizedCrop(plane, [new(2, 3, 4, 4)]), (_, _, y, x) => (float)((2 * (3 + ((x + 0.5) / 2) - 0.5)) + (10 * (2 + ((y + 0.5) / 2) - 0.5))));
        TensorAssert.Close(plane, PictureOps.ResizedCrop(plane, [new(0, 0, 8, 8)]));
    }

    [Fact, LeaksNoTensors]
    public void RandomCrop_OnNormalisedPictures_FillsWithBlack()
    {
        var context = s_context with { Pixels = s_pixels };
        using var batch = new Batch([KeyValuePair.Create(Batch.Inputs, torch.full([200, Channels, Height, Width], 9f))]);
        Make("random-crop", context, ("padding", 3)).Apply(batch, Random());
        var values = batch[Batch.Inputs].data<float>().ToArray();
        var black = new[] { -0.4f / 0.2f, -0.5f / 0.3f, -0.3f / 0.25f };
        for (var i = 0; i < values.Length; i++)
        {
            var expected = black[i / (Height * Width) % Channels];
            Assert.True(values[i] == 9f || Math.Abs(values[i] - expected) < 1e-5f);
        }
        // Every shift is equally likely: the corner is outside unless both shifts are at least 0, 4 of 7 each.
        var inside = values.Where((_, i) => i % (Channels * Height * Width) == 0).Count(value => value == 9f);
        Assert.InRange(inside, 40, 92); // mean 65, standard deviation 6.6
    }

    [Fact, LeaksNoTensors]
    public void Flip_HappensAsOftenAsItsProbability()
    {
        using var scope = NewDisposeScope();
        using var batch = new Batch([KeyValuePair.Create(Batch.Inputs, arange(Width, float32).expand(4000, Channels, Height, Width).contiguous())]);
        Make("horizontal-flip", null, ("probability", 0.3)).Apply(batch, Random());
        var corner = batch[Batch.Inputs].select(3, 0).select(2, 0).select(1, 0);
        var flipped = TensorAssert.Doubles(corner).Count(value => value == Width - 1);
        Assert.InRange(flipped, 1200 - 120, 1200 + 120); // standard deviation 29
    }

    [Theory, LeaksNoTensors]
    [InlineData("mixup")]
    [InlineData("cutmix")]
    public void Mixing_KeepsTheMassOfLabelsAndPixels(string name)
    {
        using var batch = MakeBatch(64);
        using var before = batch[Batch.Inputs].clone();
        Make(name, null, ("alpha", 1.0)).Apply(batch, Random());
        TensorAssert.HasShape([64, 4], batch[Batch.Targets]);
        using var scope = NewDisposeScope();
        TensorAssert.Close(ones(64), batch[Batch.Targets].sum(1), absolute: 1e-6);
        Assert.True(batch[Batch.Targets].ge(0).all().item<bool>());
        if (name == "mixup")
        {
            // The partners are a permutation and shares are random: pixels stay in the range of the originals.
            Assert.True(batch[Batch.Inputs].max().item<float>() <= before.max().item<float>());
        }
        else
        {
            // Each pixel comes from its place in some picture of the batch.
            var candidates = before.transpose(0, 1).reshape(Channels, 64, Height, Width);
            var found = batch[Batch.Inputs].unsqueeze(1).eq(before.unsqueeze(0)).any(1).all();
            Assert.True(found.item<bool>());
        }
        Assert.True(batch[Batch.Targets].max(1).values.lt(0.999).any().item<bool>());
    }

    [Fact, LeaksNoTensors]
    public void Mixing_Chained_MixesProbabilitiesAgain()
    {
        using var batch = MakeBatch(32);
        Make("mixup").Apply(batch, Random());
        Make("cutmix").Apply(batch, Random(1));
        using var sums = batch[Batch.Targets].sum(1);
        Assert.All(TensorAssert.Doubles(sums), sum => Assert.Equal(1, sum, 1e-5));
    }

    [Fact]
    public void CutMix_Share_FollowsTheArea()
    {
        // 16 x 20, share 0.6, centre (x 10, y 8): rectangle of the golden case, 10 x 12 pixels
        Assert.Equal(new PixelBox(3, 4, 10, 12), CutMix.Box(16, 20, 0.6, 8, 10));
        Assert.Equal(0.625f, CutMix.Share(16, 20, new(3, 4, 10, 12)));
        Assert.Equal(1f, CutMix.Share(16, 20, default));
    }

    [Fact]
    public void Mixing_ClassOutOfRange_IsNamed()
    {
        using var batch = new Batch([KeyValuePair.Create(Batch.Inputs, Pictures(1)), KeyValuePair.Create(Batch.Targets, torch.tensor(new long[] { 4 }))]);
        Assert.Equal("mixup: expected class ids from 0 to 3, got 4. Declare all 5 classes of the data set.", Assert.Throws<DataException>(() => Make("mixup").Apply(batch, Random())).Message);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(1.0)]
    [InlineData(5.0)]
    public void Beta_HasTheMomentsOfItsFormula(double alpha)
    {
        var random = Random();
        var draws = Enumerable.Range(0, 20_000).Select(_ => BetaDistribution.Draw(alpha, random)).ToArray();
        Assert.All(draws, draw => Assert.InRange(draw, 0, 1));
        Assert.Equal(0.5, draws.Average(), 0.02);
        Assert.Equal(1 / (4 * ((2 * alpha) + 1)), draws.Average(draw => (draw - 0.5) * (draw - 0.5)), 0.005);
        Assert.InRange(BetaDistribution.Draw(1e-6, random), 0, 1);
    }

    [Fact, LeaksNoTensors]
    public void ColorJitter_OnNormalisedPictures_EqualsJitterOfThePixels()
    {
        using var plain = MakeBatch();
        using var normalised = MakeBatch();
        using var scope = NewDisposeScope();
        Tensor mean = torch.tensor(new[] { 0.4f, 0.5f, 0.3f }, [1, 3, 1, 1]), deviation = torch.tensor(new[] { 0.2f, 0.3f, 0.25f }, [1, 3, 1, 1]);
        normalised.Replace(Batch.Inputs, (normalised[Batch.Inputs] - mean) / deviation);
        (string, object?)[] options = [("brightness", 0.5), ("contrast", 0.5), ("saturation", 0.5), ("hue", 0.2)];
        Make("color-jitter", s_context, options).Apply(plain, Random());
        Make("color-jitter", s_context with { Pixels = s_pixels }, options).Apply(normalised, Random());
        TensorAssert.Close(plain[Batch.Inputs], (normalised[Batch.Inputs] * deviation) + mean, absolute: 1e-5);
        Assert.True(plain[Batch.Inputs].max().item<float>() <= 1);
    }

    [Fact, LeaksNoTensors]
    public void GaussianNoise_HasItsStandardDeviation()
    {
        using var batch = new Batch([KeyValuePair.Create(Batch.Inputs, zeros(500, Channels, Height, Width))]);
        Make("gaussian-noise", s_context with { Pixels = s_pixels }, ("standard_deviation", 0.1)).Apply(batch, Random());
        using var deviation = batch[Batch.Inputs].std([0L, 2L, 3L]);
        var actual = TensorAssert.Doubles(deviation);
        Assert.Equal(0.1 / 0.2, actual[0], 0.01);
        Assert.Equal(0.1 / 0.3, actual[1], 0.01);
        Assert.Equal(0.1 / 0.25, actual[2], 0.01);
    }

    [Fact]
    public void RandomErase_CoversWithinItsBounds()
    {
        using var batch = new Batch([KeyValuePair.Create(Batch.Inputs, torch.full([300, Channels, Height, Width], 9f))]);
        Make("random-erase", null, ("probability", 0.5), ("min_area", 0.1), ("max_area", 0.5), ("colour", "random")).Apply(batch, Random());
        var covered = batch[Batch.Inputs].data<float>().ToArray().Chunk(Channels * Height * Width).Select(picture => picture.Count(value => value != 9f) / (double)picture.Length).ToArray();
        Assert.InRange(covered.Count(share => share > 0), 110, 190); // mean 150, standard deviation 8.7
        Assert.All(covered.Where(share => share > 0), share => Assert.InRange(share, 0.02, 0.62)); // rounding to whole pixels widens the bounds
    }

    [Fact]
    public void Create_WrongUse_ReportsEverythingAtOnce()
    {
        Assert.Contains("Did you mean 'horizontal-flip'?", Assert.Throws<OptionsException>(() => Make("horizontl-flip")).Message);
        var error = Assert.Throws<OptionsException>(() => Make("random-crop", null, ("paddin", 2), ("mode", 3), ("padding", "two")));
        Assert.Equal(["'paddin' is not an option. Did you mean 'padding'? Valid: padding, mode.", "mode: expected a text, got '3'.", "padding: expected a whole number, got 'two'."], error.Problems);
        Assert.Contains("Mode 'mirror' is not known", Assert.Throws<OptionsException>(() => Make("random-crop", null, ("mode", "mirror"))).Message);
        Assert.Contains("to mirror the picture", Assert.Throws<OptionsException>(() => Make("random-crop", null, ("mode", "reflect"), ("padding", 6))).Message);
        Assert.Contains("need pictures of 3 channels", Assert.Throws<OptionsException>(() => Make("color-jitter", s_context with { Channels = 1 }, ("hue", 0.1))).Message);
        Assert.Throws<ArgumentException>(() => Augmentations.Create("mixup", new CutMixOptions(), s_context));
    }

    [Theory]
    [MemberData(nameof(AllNames))]
    public void OptionsType_HasDefaultsThatWork(string name)
        => Assert.Equal(name, Augmentations.Create(name, Activator.CreateInstance(Augmentations.OptionsTypeOf(name))!, s_context).Name);
}

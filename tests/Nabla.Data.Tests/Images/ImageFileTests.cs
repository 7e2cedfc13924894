using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Nabla.Core;
using Nabla.Testing;

namespace Nabla.Data.Tests;

public sealed class ImageFileTests
{
    private static string Fixture(string name) => Path.Combine(Repository.Root, "tests", "Nabla.Data.Tests", "Images", "Fixtures", name);

    [Theory]
    [InlineData("animated.gif", 2, 5, 4, 255, 0, 0)]
    [InlineData("animated.webp", 2, 5, 4, 0x12, 0x34, 0x56)]
    [InlineData("one.bmp", 1, 3, 2, 0x40, 0xa0, 0xff)]
    public void Read_OtherFormats_GivesTheFirstFrame(string file, int frames, int width, int height, int red, int green, int blue)
    {
        var image = ImageFile.Read(Fixture(file));
        Assert.Equal((frames, width, height), (image.Frames, image.Width, image.Height));
        var tolerance = file.EndsWith("webp", StringComparison.Ordinal) ? 3 : 0; // lossy
        Assert.All(image.Pixels, (value, i) => Assert.InRange(value - (i / (width * height)) switch { 0 => red, 1 => green, _ => blue }, -tolerance, tolerance));
    }

    [Fact]
    public void Read_AnimatedPng_GivesTheFirstFrame()
    {
        // A PNG with the control chunk of an animation: readers that know no animation show the plain picture, and so do we.
        var plain = PngFile.Encode([10, 20, 30, 40], 1, 2, 2);
        byte[] control = [0, 0, 0, 2, 0, 0, 0, 0];
        var animated = plain[..33].Concat(Chunk("acTL", control)).Concat(plain[33..]).ToArray();
        Assert.Equal([10, 20, 30, 40], ImageFile.Decode(animated, "animated.png", new() { Channels = 1 }).Pixels);
    }

    [Fact]
    public void Decode_65kTimes65kInTheHeader_IsRefusedBeforeDecoding()
    {
        var bytes = PngFile.Encode([1, 2, 3, 4], 1, 2, 2);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 65_000);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 65_000);
        Chunk("IHDR", bytes[16..29]).CopyTo(bytes, 8);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<DataException>(() => ImageFile.Decode(bytes, "huge.png"));
        Assert.Contains("huge.png: its header declares 65000 x 65000 pixels, more than the 120000000 allowed", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Decode_AboveTheLimit_SaysHowToRaiseIt()
        => Assert.Contains("(ImageOptions.MaxPixels)", Assert.Throws<DataException>(() => ImageFile.Decode(PngFile.Encode(new byte[20], 1, 4, 5), "x", new() { MaxPixels = 19 })).Message);

    [Fact]
    public void Decode_TruncatedAnywhere_ThrowsOnlyDataException()
    {
        var bytes = File.ReadAllBytes(Path.Combine(Golden.Folders("families-vision-audio/preprocess")[0], "images", "jpeg-444.jpg"));
        for (var length = 0; length < bytes.Length - 2; length += 97)
        {
            Assert.Throws<DataException>(() => ImageFile.Decode(bytes.AsSpan(0, length), "cut.jpg"));
        }
    }

    [Fact]
    public void Decode_AnyBytes_ThrowsOnlyDataException()
    {
        var bytes = PngFile.Encode([.. Enumerable.Range(0, 300).Select(i => (byte)i)], 3, 10, 10);
        Gen.Select(Gen.Int[8, bytes.Length - 1], Gen.Byte).Sample((place, value) =>
        {
            var damaged = bytes.ToArray();
            damaged[place] = value;
            try
            {
                Assert.Equal(300, ImageFile.Decode(damaged, "damaged.png", new() { MaxPixels = 100 }).Pixels.Length % 301);
            }
            catch (DataException error)
            {
                Assert.StartsWith("damaged.png: ", error.Message, StringComparison.Ordinal);
            }
        }, iter: 500);
        Assert.Throws<DataException>(() => ImageFile.Decode("<svg/>"u8, "x.svg"));
        Assert.Contains("missing.png", Assert.Throws<DataException>(() => ImageFile.Read("missing.png")).Message);
    }

    [Fact]
    public void Transparency_ShowsTheBackground()
    {
        var path = Path.Combine(Golden.Folders("families-vision-audio/preprocess")[0], "images", "gray-alpha.png");
        var (white, black) = (ImageFile.Read(path, new() { Channels = 1 }), ImageFile.Read(path, new() { Channels = 1, Background = "black" }));
        Assert.Equal(255, white.Pixels[0]); // fully transparent corner
        Assert.Equal(0, black.Pixels[0]);
    }

    [Fact, LeaksNoTensors]
    public void Png_EncodeThenDecode_GivesThePictureBack()
        => Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Gen.Bool, Gen.Long).Sample((height, width, colour, seed) =>
        {
            var (random, channels) = (RandomStream.At(seed, RandomPurpose.Other), colour ? 3 : 1);
            var pixels = Enumerable.Range(0, channels * height * width).Select(_ => (byte)random.NextInt(0, 256)).ToArray();
            using var picture = torch.tensor(pixels, [channels, height, width]);
            using var numbers = torch.tensor(Array.ConvertAll(pixels, value => value / 255f), [channels, height, width]);
            foreach (var tensor in new[] { picture, numbers })
            {
                var again = ImageFile.Decode(PngFile.Encode(tensor), "again.png", new() { Channels = channels });
                Assert.Equal((height, width), (again.Height, again.Width));
                Assert.Equal(pixels, again.Pixels);
            }
        }, iter: 50, threads: 1);

    [Fact, LeaksNoTensors]
    public void Png_Write_MakesTheFileOrNothing()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            using var picture = torch.tensor(new[] { float.NaN, 2f, -1f, 0.5f }, [2, 2]);
            var path = Path.Combine(folder.FullName, "picture.png");
            PngFile.Write(path, picture);
            Assert.Equal([0, 255, 0, 128], ImageFile.Read(path, new() { Channels = 1 }).Pixels);
            Assert.Single(Directory.GetFiles(folder.FullName));
            using var batch = zeros(2, 3, 4, 4);
            Assert.Throws<ShapeException>(() => PngFile.Write(Path.Combine(folder.FullName, "batch.png"), batch));
            Assert.Single(Directory.GetFiles(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Crop_TakesThePart()
    {
        var image = new DecodedImage([.. Enumerable.Range(0, 24).Select(i => (byte)i)], 2, 3, 4);
        Assert.Equal([5, 6, 9, 10, 17, 18, 21, 22], image.Crop(1, 1, 2, 2).Pixels);
        Assert.Throws<ArgumentOutOfRangeException>(() => image.Crop(2, 0, 2, 1));
    }

    [Fact]
    public void BilinearCropped_CutsEvenlyOnBothSides()
    {
        // 2 x 8: columns 0 to 7; a square of 2 x 2 takes the middle columns 3 and 4.
        var image = new DecodedImage([0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7], 1, 2, 8);
        Assert.Equal([3, 4, 3, 4], ImageResize.BilinearCropped(image, 2, 2).Pixels);
        Assert.Equal((1, 5), (ImageResize.BilinearCropped(image, 1, 5).Height, ImageResize.BilinearCropped(image, 1, 5).Width));
    }

    private static byte[] Chunk(string name, byte[] data)
    {
        var chunk = new byte[data.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        Encoding.ASCII.GetBytes(name).CopyTo(chunk, 4);
        data.CopyTo(chunk, 8);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8 + data.Length), Checksum(chunk.AsSpan(4, data.Length + 4)));
        return chunk;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) // CRC-32 of the PNG specification
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }
        return ~crc;
    }
}

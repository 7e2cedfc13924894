using System.Buffers.Binary;
using Nabla.Data;
using Nabla.Testing;

namespace Nabla.Cli.Tests.BadInput;

/// <summary>Pictures that are damaged or odd, to train on and to predict.</summary>
public sealed class BadPictureTests : BadInputTest
{
    private const string Recipe = """
        name: bad
        task: image-classification
        data: {path: '@/pictures'}
        model: {family: cnn, channels: [4], hidden: []}
        training: {epochs: 1, batch_size: 8, precision: float32, threads: 1}
        """;

    private static readonly string Golden = Path.Combine(Repository.Root, "tests", "golden", "families-vision-audio", "preprocess", "images");
    private static readonly string Fixtures = Path.Combine(Repository.Root, "tests", "Nabla.Data.Tests", "Images", "Fixtures");

    public BadPictureTests()
    {
        foreach (var (name, shade) in new[] { ("dark", 30), ("light", 220) })
        {
            for (var i = 0; i < 12; i++)
            {
                Write($"pictures/{name}/{i}.png", PngFile.Encode([.. Enumerable.Range(0, 3 * 8 * 8).Select(pixel => (byte)(shade + ((pixel * 7) + i) % 20))], 3, 8, 8));
            }
        }
    }

    public static TheoryData<string, string> Damages => new()
    {
        { "truncated", "truncated" },
        { "65k", "declares 65000 x 65000 pixels" },
        { "empty", "an empty file" },
        { "text", "expected a PNG, JPEG, GIF, WebP or BMP picture" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task DamagedPicture_IsFoundBeforeTheFirstBatch(string damage, string said)
    {
        var file = Write("pictures/light/broken.png", Damaged(damage));

        AssertRefused(await TrainAsync(Recipe), ExitCode.Failed, "data-invalid", file, said);
        AssertNothingLeft();
    }

    [Fact]
    public async Task ManyDamagedPictures_AreCountedAndTheFirstNamed()
    {
        foreach (var i in Enumerable.Range(0, 7))
        {
            Write($"pictures/dark/broken{i}.png", Damaged("truncated"));
        }

        // The first training picture tells the size, so it is read alone and first; here it is a whole one.
        AssertRefused(await TrainAsync(Recipe + "\nseed: 3\n", "--set", "data.image_size=8"), ExitCode.Failed, "data-invalid", At("pictures"), "broken");
        AssertNothingLeft();
    }

    [Theory]
    [InlineData("rgb-1x1.png")]
    [InlineData("jpeg-cmyk.jpg")]
    [InlineData("animated.gif")]
    [InlineData("animated.webp")]
    public async Task OddPicture_AmongOthers_IsTrainedOnAndPredicted(string name)
    {
        var file = Write($"pictures/light/{name}", File.ReadAllBytes(Path.Combine(name.StartsWith("animated", StringComparison.Ordinal) ? Fixtures : Golden, name)));

        var trained = await TrainAsync(Recipe, "--set", "data.image_size=8");
        Assert.Equal(ExitCode.Done, trained.Code);
        var predicted = await CommandLineHarness.RunAsync(["predict", trained.Json.GetProperty("run").GetString()!, file, "--json"]);

        var prediction = Assert.Single(predicted.Json.GetProperty("predictions").EnumerateArray());
        Assert.Equal(1, prediction.GetProperty("probabilities").EnumerateObject().Sum(one => one.Value.GetDouble()), 1e-5);
    }

    [Fact]
    public async Task OnlyPicturesOfOnePixel_AreRefusedByTheModelThatCannotReadThem()
    {
        foreach (var file in Directory.GetFiles(At("pictures"), "*.png", SearchOption.AllDirectories))
        {
            File.Copy(Path.Combine(Golden, "rgb-1x1.png"), file, overwrite: true);
        }

        AssertRefused(await TrainAsync(Recipe), ExitCode.WrongUse, "options-invalid", "1x1 pixels are used up", "Take fewer blocks, or pooling: none");
        AssertNothingLeft();
    }

    [Fact]
    public async Task Predict_OfPicturesThatCannotBeRead_SaysWhyAndWhatItWasTrainedOn()
    {
        var run = (await TrainAsync(Recipe)).Json.GetProperty("run").GetString()!;
        foreach (var damage in Damages.Select(row => row.Data.Item1))
        {
            var file = Write($"{damage}.png", Damaged(damage));
            AssertRefused(await CommandLineHarness.RunAsync(["predict", run, file, "--json"]), ExitCode.Failed, "data-invalid", file, "This run was trained on colour pictures of 8 x 8 pixels");
        }
        AssertRefused(await CommandLineHarness.RunAsync(["predict", run, At("none.png"), "--json"]), ExitCode.Failed, "data-invalid", At("none.png"), "nothing at this path");
    }

    [Fact]
    public async Task FolderWithoutPictures_SaysWhatIsReadAndWhatIsThere()
    {
        Directory.Delete(At("pictures"), recursive: true);
        Directory.CreateDirectory(At("pictures"));

        AssertRefused(await TrainAsync(Recipe), ExitCode.Failed, "data-invalid", At("pictures"), "expected pictures (.png", "got none");
        AssertNothingLeft();
    }

    [Fact]
    public async Task ClassWithOnePicture_IsNamed()
    {
        Write("pictures/rare/1.png", File.ReadAllBytes(At("pictures/dark/1.png")));

        AssertRefused(await TrainAsync(Recipe), ExitCode.Failed, "data-invalid", At("pictures"), "class 'rare' has 1 example");
        AssertNothingLeft();
    }

    private byte[] Damaged(string damage)
    {
        var bytes = File.ReadAllBytes(At("pictures/dark/1.png"));
        switch (damage)
        {
            case "truncated":
                return bytes[..^40];
            case "65k":
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), 65_000);
                BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(20), 65_000);
                BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(29), Checksum(bytes.AsSpan(12, 17)));
                return bytes;
            default:
                return damage == "empty" ? [] : "<svg></svg>"u8.ToArray();
        }
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

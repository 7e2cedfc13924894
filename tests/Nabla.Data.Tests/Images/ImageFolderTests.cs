using Microsoft.Extensions.Logging;
using Nabla.Core;

namespace Nabla.Data.Tests;

public sealed class ImageFolderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Writes a grey picture of one colour.</summary>
    private void Picture(string path, byte colour = 100, int height = 4, int width = 6)
        => Write(path, PngFile.Encode(Enumerable.Repeat(colour, height * width).ToArray(), 1, height, width));

    private void Write(string path, byte[] bytes)
    {
        var full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllBytes(full, bytes);
    }

    private string[] Relative(ImageListing listing) => [.. listing.Paths.Select(path => Path.GetRelativePath(_folder, path).Replace('\\', '/'))];

    [Fact]
    public void List_FolderPerClass_IsInOrdinalOrder()
    {
        foreach (var path in new[] { "dog/b.png", "dog/B.PNG", "dog/a.jpg", "Cat/1.png", "Cat/10.png", "Cat/2.png", "Cat/deep/0.png", "Cat/.hidden.png", "Cat/notes.txt", ".git/x.png" })
        {
            Picture(path);
        }
        var listing = ImageFolder.List(_folder);
        Assert.Equal(["Cat", "dog"], listing.ClassNames);
        Assert.Equal(["Cat/1.png", "Cat/10.png", "Cat/2.png", "Cat/deep/0.png", "dog/B.PNG", "dog/a.jpg", "dog/b.png"], Relative(listing));
        Assert.Equal([0, 0, 0, 0, 1, 1, 1], listing.Classes);
        Assert.Equal(7, ImageFolder.ListUnlabelled(_folder).Paths.Count);
    }

    [Fact]
    public void List_LabelsFile_GivesTheClasses()
    {
        Picture("b.png");
        Picture("a.png");
        Picture("c.png");
        Write("labels.csv", "file,label\nb.png,zebra\na.png,\"ant, red\"\n"u8.ToArray());
        var listing = ImageFolder.List(_folder);
        Assert.Equal(["a.png", "b.png"], Relative(listing));
        Assert.Equal(["ant, red", "zebra"], listing.ClassNames);
        Assert.Equal([0, 1], listing.Classes);
    }

    [Theory]
    [InlineData("file,class\na.png,x\n", "expected the columns file and label, got file, class")]
    [InlineData("file,label\n", "expected at least one picture")]
    [InlineData("file,label\na.png,x\n", "expected at least two classes, got only 'x'")]
    [InlineData("file,label\na.png,x\nq.png,y\n", "line 3: there is no file 'q.png'")]
    [InlineData("file,label\na.png,x\na.png,y\n", "line 3: file 'a.png' has a label already, on line 2")]
    [InlineData("file,label\na.png,\n", "line 2: expected a label for 'a.png', got none")]
    [InlineData("file,label\n../a.png,x\n", "line 2: there is no file '../a.png'")]
    public void List_LabelsFileThatDoesNotFit_SaysWhere(string labels, string message)
    {
        Picture("a.png");
        Write("labels.csv", System.Text.Encoding.UTF8.GetBytes(labels));
        Assert.Contains(message, Assert.Throws<DataException>(() => ImageFolder.List(_folder)).Message);
    }

    [Fact]
    public void List_UnusableFolder_SaysWhatIsMissing()
    {
        string Error(string folder) => Assert.Throws<DataException>(() => ImageFolder.List(Path.Combine(_folder, folder))).Message;
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        Picture("flat/a.png");
        Picture("one/only/a.png");
        Picture("gap/full/a.png");
        Directory.CreateDirectory(Path.Combine(_folder, "gap", "void"));
        Assert.Contains("there is no such folder", Error("none"));
        Assert.Contains("expected a folder of pictures, got a file", Error("flat/a.png"));
        Assert.Contains("expected pictures (.png", Error("empty"));
        Assert.Contains("got pictures without labels", Error("flat"));
        Assert.Contains("expected at least two classes, got only 'only'", Error("one"));
        Assert.Contains("class 'void' has no pictures", Error("gap"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1 << 20)]
    public void Source_Read_ScalesAndNormalises(long cacheBytes)
    {
        Picture("a/1.png", 51);
        Picture("b/1.png", 204, 9, 3);
        using var source = new ImageFolderSource(ImageFolder.List(_folder), new()
        {
            Height = 5,
            Width = 4,
            CacheBytes = cacheBytes,
            Decoding = new() { Channels = 3 },
            Pixels = new() { Mean = [0.2, 0.5, 0.8], StandardDeviation = [1, 2, 4] },
        });
        for (var round = 0; round < 2; round++)
        {
            using var batch = source.Read([1, 0]);
            Assert.Equal([2, 3, 5, 4], batch[Batch.Inputs].shape);
            Assert.Equal([1, 0], batch[Batch.Targets].data<long>().ToArray());
            var values = batch[Batch.Inputs].data<float>().ToArray();
            float[] expected = [0.6f, 0.15f, 0f, 0f, -0.15f, -0.15f]; // (0.8 or 0.2 - mean) / deviation
            Assert.All(values, (value, i) => Assert.Equal(expected[i / 20], value, 1e-6f));
        }
        Assert.Equal(1, source.ClassOf(1));
    }

    [Fact]
    public void Source_ThroughTheLoader_GivesTheSameBitsWithAndWithoutCache()
    {
        for (var i = 0; i < 20; i++)
        {
            Picture($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png", (byte)(i * 10));
        }
        float[][] Read(long cache)
        {
            using var source = new ImageFolderSource(ImageFolder.List(_folder), new() { Height = 2, Width = 2, CacheBytes = cache });
            return [.. new DataLoader(source, new() { BatchSize = 3, Shuffle = true }).ReadEpoch(0).Select(batch =>
            {
                using (batch)
                {
                    return batch[Batch.Inputs].data<float>().ToArray();
                }
            })];
        }
        Assert.Equal(Read(0), Read(1 << 20));
    }

    [Fact]
    public void Source_UnreadablePicture_IsNamedOrLeftOut()
    {
        Picture("a/1.png");
        Picture("b/1.png");
        Picture("b/2.png");
        Write("a/2.png", "no picture"u8.ToArray());
        var listing = ImageFolder.List(_folder);
        using var strict = new ImageFolderSource(listing, new() { Height = 2, Width = 2 });
        Assert.Contains(Path.Combine("a", "2.png"), Assert.Throws<DataException>(() => strict.Read([0, 1, 2])).Message);

        var log = new ListLogger();
        using var lenient = new ImageFolderSource(listing, new() { Height = 2, Width = 2, SkipUnreadable = true }, log);
        Assert.Equal(3, lenient.Count);
        Assert.Equal([0, 1, 1], lenient.Listing.Classes);
        Assert.Contains(Path.Combine("a", "2.png"), Assert.Single(lenient.Unreadable));
        Assert.StartsWith("Warning: Left out 1 of 4 pictures", Assert.Single(log.Lines), StringComparison.Ordinal);

        File.Delete(Path.Combine(_folder, "a", "1.png"));
        Assert.Contains("class 'a' has no picture that can be read", Assert.Throws<DataException>(
            () => new ImageFolderSource(ImageFolder.List(_folder), new() { Height = 2, Width = 2, SkipUnreadable = true })).Message);
    }

    [Fact]
    public void Source_WithoutLabels_HasNoTargets()
    {
        Picture("x.png");
        using var source = new ImageFolderSource(ImageFolder.ListUnlabelled(_folder), new() { Height = 2, Width = 2, Decoding = new() { Channels = 1 } });
        using var batch = source.Read([0]);
        Assert.Null(batch.Find(Batch.Targets));
        Assert.Equal([1, 1, 2, 2], batch[Batch.Inputs].shape);
        Assert.Throws<OptionsException>(() => new ImageFolderSource(source.Listing, new() { Height = 0, Width = 2, Pixels = new() { Mean = [0], StandardDeviation = [1] } }));
    }

    private sealed class ListLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => Lines.Add($"{logLevel}: {formatter(state, exception)}");
    }
}

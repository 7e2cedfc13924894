using CsCheck;
using Nabla.Core;

namespace Nabla.Data.Tests;

public class CheckedGzipStreamTests
{
    [Fact]
    public void Read_AnyContentInAnyPieces_GivesTheContent() => Gen.Select(Gen.Byte.Array[0, 5000], Gen.Int[1, 700]).Sample((content, piece) =>
    {
        using var stream = new CheckedGzipStream(new MemoryStream(TempFolder.Gzip(content)), "a.gz");
        using var result = new MemoryStream();
        var buffer = new byte[piece];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            result.Write(buffer, 0, read);
        }
        return result.ToArray().AsSpan().SequenceEqual(content);
    }, iter: 200);

    [Fact]
    public void Read_LargerThanTheBuffer_GivesTheContent()
    {
        var content = new byte[300_001];
        for (var i = 0; i < content.Length; i++)
        {
            content[i] = (byte)(i * i / 7);
        }
        using var stream = new CheckedGzipStream(new MemoryStream(TempFolder.Gzip(content)), "a.gz");
        using var result = new MemoryStream();
        stream.CopyTo(result);
        Assert.Equal(content, result.ToArray());
    }

    [Fact]
    public void Read_TwoMembers_GivesBoth()
    {
        using var stream = new CheckedGzipStream(new MemoryStream([.. TempFolder.Gzip("one "u8.ToArray()), .. TempFolder.Gzip("two"u8.ToArray())]), "a.gz");
        using var reader = new StreamReader(stream);
        Assert.Equal("one two", reader.ReadToEnd());
    }

    [Fact]
    public void Read_CutAtAnyByte_ThrowsNamingTheFile()
    {
        var whole = TempFolder.Gzip("a text that is long enough to be worth compressing, compressing, compressing"u8.ToArray());
        for (var length = 2; length < whole.Length; length++)
        {
            using var stream = new CheckedGzipStream(new MemoryStream(whole, 0, length), "dir/a.gz");
            var error = Assert.Throws<DataException>(() => stream.CopyTo(Stream.Null));
            Assert.StartsWith("dir/a.gz: the gzip data is cut off or damaged", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Read_FlippedBit_ThrowsUnlessItHasNoMeaning()
    {
        var content = "a text that is long enough to be worth compressing, compressing, compressing"u8.ToArray();
        var whole = TempFolder.Gzip(content);
        var noticed = 0;
        for (var bit = 80; bit < whole.Length * 8; bit++)
        {
            var damaged = whole.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            using var stream = new CheckedGzipStream(new MemoryStream(damaged), "a.gz");
            using var result = new MemoryStream();
            try
            {
                stream.CopyTo(result);
                Assert.Equal(content, result.ToArray()); // such as a padding bit behind the last code
            }
            catch (DataException)
            {
                noticed++;
            }
        }
        Assert.InRange(noticed, (whole.Length * 8) - 80 - 8, int.MaxValue);
    }
}

using Nabla.Core;

namespace Nabla.Data.Tests;

public class IdxFileTests
{
    // Two pictures of 1x3 and their labels.
    private static readonly byte[] Images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 250, 251, 252];
    private static readonly byte[] Labels = [0, 0, 8, 1, 0, 0, 0, 2, 9, 0];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReadImages_SmallFiles_GivesPicturesAndLabels(bool packed)
    {
        using var folder = new TempFolder();
        var (images, labels) = IdxFile.ReadImages(
            folder.Write("images", packed ? TempFolder.Gzip(Images) : Images), folder.Write("labels", packed ? TempFolder.Gzip(Labels) : Labels), classes: 10);
        using (images)
        {
            Assert.Equal([2, 1, 1, 3], images.shape);
            Assert.Equal(torch.ScalarType.Byte, images.dtype);
            Assert.Equal([1, 2, 3, 250, 251, 252], images.data<byte>().ToArray());
        }
        Assert.Equal([9, 0], labels);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0x09, 1, 0, 0, 0, 2, 0xFF, 3 }, new double[] { -1, 3 })]
    [InlineData(new byte[] { 0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE }, new double[] { 258, -2 })]
    [InlineData(new byte[] { 0, 0, 0x0C, 1, 0, 0, 0, 1, 0, 1, 0, 1 }, new double[] { 65537 })]
    [InlineData(new byte[] { 0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0xC0, 0, 0 }, new double[] { 1.5 })]
    [InlineData(new byte[] { 0, 0, 0x0E, 1, 0, 0, 0, 1, 0xBF, 0xF8, 0, 0, 0, 0, 0, 0 }, new double[] { -1.5 })]
    public void Read_EveryType_IsBigEndian(byte[] content, double[] expected)
    {
        using var folder = new TempFolder();
        using var values = IdxFile.Read(folder.Write("a.idx", content));
        using var doubles = values.to_type(torch.ScalarType.Float64);
        Assert.Equal(expected, doubles.data<double>().ToArray());
    }

    [Theory]
    [InlineData(0, "fewer than 4 bytes")]
    [InlineData(3, "fewer than 4 bytes")]
    [InlineData(9, "ends inside its header")]
    [InlineData(16, "got 0. The file is cut off")]
    [InlineData(21, "expected 6 bytes of values for uint8 [2, 1, 3], got 5")]
    public void Read_CutOff_SaysWhere(int length, string message)
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.idx", Images[..length]);
        var error = Assert.Throws<DataException>(() => IdxFile.Read(path));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 8, 1, 0, 0, 0, 0 }, "magic number")]
    [InlineData(new byte[] { 0, 0, 7, 1, 0, 0, 0, 0 }, "got 00000701")]
    [InlineData(new byte[] { 0, 0, 8, 0 }, "magic number")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0xFF, 0xFF, 0xFF, 0xFF }, "sizes [-1]")]
    [InlineData(new byte[] { 0, 0, 8, 3, 0x7F, 0, 0, 0, 0x7F, 0, 0, 0, 0x7F, 0, 0, 0 }, "The header is damaged")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0x40, 0, 0, 0, 1 }, "more than the file can hold")]
    [InlineData(new byte[] { 0, 0, 8, 1, 0, 0, 0, 1, 1, 2 }, "goes on after the last value")]
    public void Read_WrongHeader_SaysWhat(byte[] content, string message)
    {
        using var folder = new TempFolder();
        var path = folder.Write("a.idx", content);
        Assert.Contains(message, Assert.Throws<DataException>(() => IdxFile.Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadImages_OtherCountOfLabels_SaysBoth()
    {
        using var folder = new TempFolder();
        var (images, labels) = (folder.Write("images", Images), folder.Write("labels", [0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]));
        var error = Assert.Throws<DataException>(() => IdxFile.ReadImages(images, labels, 10));
        Assert.Contains("has labels (3), got 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadImages_LabelOutOfRange_NamesIt()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<DataException>(() => IdxFile.ReadImages(folder.Write("images", Images), folder.Write("labels", Labels), classes: 9));
        Assert.Contains("label 0 is 9, expected a class id from 0 to 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadImages_FilesSwapped_AsksForIt()
    {
        using var folder = new TempFolder();
        var error = Assert.Throws<DataException>(() => IdxFile.ReadImages(folder.Write("labels", Labels), folder.Write("images", Images), 10));
        Assert.Contains("swapped?", error.Message, StringComparison.Ordinal);
    }
}

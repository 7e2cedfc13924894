using Nabla.Data;
using Spectre.Console;
using Spectre.Console.Testing;

namespace Nabla.Cli.Tests.Display;

public sealed class PictureBlocksTests
{
    [Fact]
    public void Draw_AHalvedPicture_ShowsBothColoursInPlace()
    {
        // Left half black, right half white, 32 x 32, grey.
        var pixels = Enumerable.Range(0, 32 * 32).Select(i => (byte)(i % 32 < 16 ? 0 : 255)).ToArray();
        using TestConsole console = new() { EmitAnsiSequences = true };
        console.Profile.Capabilities.ColorSystem = ColorSystem.TrueColor;

        PictureBlocks.Draw([Sample("half", 1, 32, pixels)], console);

        var lines = console.Output.Split('\n');
        var line = lines[0].Replace("\e[0m", "", StringComparison.Ordinal);
        var (black, white) = (line.IndexOf("48;2;0;0;0", StringComparison.Ordinal), line.IndexOf("48;2;255;255;255", StringComparison.Ordinal));
        Assert.InRange(black, 0, white - 1);
        Assert.Equal(16, line.Count(letter => letter == '\u2580'));
        Assert.Equal(9, lines.TakeWhile(text => text.Length > 0).Count()); // eight lines of blocks and the label
    }

    [Theory]
    [InlineData(80, 4, 3)]
    [InlineData(120, 6, 2)]
    [InlineData(10, 1, 10)]
    public void Draw_Pictures_StandSideBySideAsTheConsoleIsWide(int width, int each, int rows)
    {
        using var console = new TestConsole().Width(Math.Max(width, 16));

        PictureBlocks.Draw([.. Enumerable.Range(0, 10).Select(i => Sample($"a label that is long {i}", 3, 4, new byte[48]))], console);

        var labels = console.Output.Split('\n').Where(line => line.StartsWith("a label", StringComparison.Ordinal)).ToArray();
        Assert.Equal(rows, labels.Length);
        Assert.Equal(each, labels[0].Split("...", StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.All(console.Output.Split('\n'), line => Assert.InRange(line.Length, 0, Math.Max(width, 16)));
    }

    private static PictureSample Sample(string label, int channels, int side, byte[] pixels)
        => new() { Label = label, Channels = channels, Height = side, Width = side, MeanColour = "#000000", Pixels = pixels };
}

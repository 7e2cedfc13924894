using Nabla.Data;
using Spectre.Console;

namespace Nabla.Cli;

/// <summary>Draws small pictures side by side with coloured half blocks, two pixels a character.</summary>
internal static class PictureBlocks
{
    private const string UpperHalf = "\u2580";
    private const int Side = 16, Gap = 2;

    /// <summary>Draws pictures with their labels, as many in a row as the console is wide.</summary>
    /// <param name="pictures">The pictures.</param>
    /// <param name="console">Where to; it reduces the colours to those it has.</param>
    public static void Draw(IReadOnlyList<PictureSample> pictures, IAnsiConsole console)
    {
        var each = Math.Max(1, (console.Profile.Width + Gap) / (Side + Gap));
        foreach (var row in pictures.Chunk(each))
        {
            Paragraph text = new();
            for (var line = 0; line < Side / 2; line++)
            {
                foreach (var picture in row)
                {
                    for (var column = 0; column < Side; column++)
                    {
                        text.Append(UpperHalf, new(Colour(picture, 2 * line, column), Colour(picture, (2 * line) + 1, column)));
                    }
                    text.Append(picture == row[^1] ? "\n" : new string(' ', Gap));
                }
            }
            text.Append(string.Join(new string(' ', Gap), row.Select(picture => Fit(picture.Label))).TrimEnd() + "\n");
            console.Write(text);
            console.WriteLine();
        }
    }

    private static string Fit(string label) => label.Length > Side ? label[..(Side - 3)] + "..." : label.PadRight(Side);

    /// <summary>Mean colour of the part of the picture that one dot of the drawing covers.</summary>
    private static Color Colour(PictureSample picture, int row, int column)
    {
        var (top, bottom) = Covered(row, picture.Height);
        var (left, right) = Covered(column, picture.Width);
        var (red, green, blue, count) = (0, 0, 0, 0);
        for (var y = top; y < bottom; y++)
        {
            for (var x = left; x < right; x++)
            {
                var colour = picture.At(y, x);
                (red, green, blue, count) = (red + colour.Red, green + colour.Green, blue + colour.Blue, count + 1);
            }
        }
        return new((byte)(red / count), (byte)(green / count), (byte)(blue / count));
    }

    private static (int From, int To) Covered(int dot, int pixels)
    {
        var from = dot * pixels / Side;
        return (from, Math.Max(from + 1, (dot + 1) * pixels / Side));
    }
}

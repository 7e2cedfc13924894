using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nabla.Cli;

/// <summary>
/// A block of lines at the end of the terminal that is drawn over itself. Each change is one write inside a synchronised update, so nothing
/// flickers; lines end with an erase instead of blanks, so a change of width leaves no remains. The cursor is hidden only while a picture is
/// written and then waits below it: however the process ends, even by SIGKILL, the terminal is as it was. Not thread-safe.
/// </summary>
/// <param name="console">The terminal.</param>
internal sealed class LiveFrame(IAnsiConsole console)
{
    private const string ShowCursor = "\e[?25h", HideCursor = "\e[?25l";
    private const string BeginUpdate = "\e[?2026h", EndUpdate = "\e[?2026l";   // terminals that do not know them ignore them
    private const string EraseBelow = "\e[J", EraseLineRest = "\e[K";

    private List<int> _widths = [];

    /// <summary>Columns of the terminal.</summary>
    public int Width => Math.Max(1, console.Profile.Width);

    /// <summary>Lines that a picture may have: one less than the terminal, so that it never scrolls.</summary>
    public int Height => Math.Max(1, console.Profile.Height - 1);

    /// <summary>Draws a picture over the last one.</summary>
    /// <param name="picture">What to draw; lines beyond <see cref="Height"/> are left out.</param>
    /// <param name="above">Text to leave behind above the picture, or null.</param>
    public void Draw(IRenderable picture, IRenderable? above = null)
    {
        var (width, height) = (Width, Height);
        var lines = Lines(picture, width).Take(height).ToList();
        var kept = above is null ? "" : string.Concat(Lines(above, width).Select(line => $"{Text(line)}{EraseLineRest}\n"));
        var text = string.Concat(lines.Select(line => $"{Text(line)}{EraseLineRest}\n"));
        Write($"{BeginUpdate}{HideCursor}{ToTop(width)}{kept}{text}{EraseBelow}{ShowCursor}{EndUpdate}");
        _widths = [.. lines.Select(Segment.CellCount)];
    }

    /// <summary>Leaves the last picture where it is; the next one begins at the cursor.</summary>
    public void Release() => _widths = [];

    /// <summary>Moves to the first line of the last picture; lines that became wider than the terminal fill several rows.</summary>
    private string ToTop(int width)
    {
        var rows = Math.Min(_widths.Sum(line => Math.Max(1, (line + width - 1) / width)), Height);
        return rows > 0 ? $"\r\e[{rows}A" : "\r";
    }

    private List<SegmentLine> Lines(IRenderable picture, int width) =>
        Segment.SplitLines(picture.Render(RenderOptions.Create(console), width), width);

    private string Text(SegmentLine line)
    {
        var segments = line.ToList();
        while (segments is [.., var last] && string.IsNullOrWhiteSpace(last.Text))
        {
            segments.RemoveAt(segments.Count - 1);
        }
        return console.ToAnsi(new Segments(segments));
    }

    private void Write(string text)
    {
        console.Profile.Out.Writer.Write(text);
        console.Profile.Out.Writer.Flush();
    }

    private sealed class Segments(IReadOnlyList<Segment> segments) : Renderable
    {
        protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth) => segments;
    }
}

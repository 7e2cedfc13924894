using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nabla.Cli;

/// <summary>
/// Draws curves over steps with braille dots, two across and four down in a character, or with letters where the terminal has no Unicode.
/// </summary>
internal sealed class CurveChart : Renderable
{
    private const int AxisMark = 1;

    /// <summary>The curves; a later one is drawn over an earlier one.</summary>
    public required IReadOnlyList<ChartLine> Lines { get; init; }

    /// <summary>Rows of the drawing, without the line of steps below it.</summary>
    public required int Rows { get; init; }

    /// <summary>How values read beside the axis.</summary>
    public Func<double, string> Label { get; init; } = MetricText.Number;

    /// <inheritdoc/>
    protected override Measurement Measure(RenderOptions options, int maxWidth) => new(Math.Min(20, maxWidth), maxWidth);

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var points = Lines.SelectMany(line => line.Points).ToList();
        var (low, high) = points.Count > 0 ? Frame([.. points.Select(point => point.Value)]) : (0, 1);
        var (first, last) = points.Count > 0 ? (points.Min(point => point.Step), points.Max(point => point.Step)) : (0, 1);
        string[] labels = points.Count > 0 ? [Label(high), Label((low + high) / 2), Label(low)] : ["", "", ""];
        var margin = Math.Min(labels.Max(label => label.Length), maxWidth / 3);
        var columns = Math.Max(1, maxWidth - margin - AxisMark - 1);
        var cells = options.Unicode ? Braille(columns, low, high, first, last) : Letters(columns, low, high, first, last);
        Style quiet = new(decoration: Decoration.Dim);
        for (var row = 0; row < Rows; row++)
        {
            var label = row == 0 ? labels[0] : row == Rows - 1 ? labels[2] : Rows % 2 == 1 && row == Rows / 2 ? labels[1] : "";
            yield return new Segment(Fit(label, margin), quiet);
            yield return new Segment(options.Unicode ? (label.Length > 0 ? " \u2524" : " \u2502") : " |", quiet);
            foreach (var segment in Segments(cells, row, columns))
            {
                yield return segment;
            }
            yield return Segment.LineBreak;
        }
        var (left, right) = (MetricText.Count((long)first), $"step {MetricText.Count((long)last)}");
        yield return new Segment(new string(' ', margin + 1 + AxisMark), quiet);
        var gap = columns - left.Length - right.Length;
        var below = points.Count == 0 ? "no values yet" : gap > 0 ? left + new string(' ', gap) + right : right;
        yield return new Segment(below[..Math.Min(below.Length, columns)], quiet);
        yield return Segment.LineBreak;
    }

    /// <summary>Range of the values, without the few that would press the rest into a flat line.</summary>
    internal static (double Low, double High) Frame(double[] values)
    {
        Array.Sort(values);
        var (low, high) = (values[0], values[^1]);
        var most = values[(int)((values.Length - 1) * 0.95)];
        if (values.Length >= 20 && most > low && high - low > 4 * (most - low))
        {
            high = low + (1.5 * (most - low));
        }
        return high > low ? (low, high) : (low - Math.Max(1e-6, Math.Abs(low) * 0.1), high + Math.Max(1e-6, Math.Abs(high) * 0.1));
    }

    private Cell[,] Braille(int columns, double low, double high, double first, double last)
    {
        var cells = new Cell[Rows, columns];
        // Bits of the dots of U+2800, by column and row (Unicode standard, section 21.1).
        ReadOnlySpan<byte> bits = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80];
        foreach (var line in Lines)
        {
            foreach (var (x, y) in Dots(line, columns * 2, Rows * 4, low, high, first, last))
            {
                ref var cell = ref cells[y / 4, x / 2];
                cell = new((char)((cell.Symbol == 0 ? '\u2800' : cell.Symbol) | bits[((x % 2) * 4) + (y % 4)]), line.Color);
            }
        }
        return cells;
    }

    private Cell[,] Letters(int columns, double low, double high, double first, double last)
    {
        var cells = new Cell[Rows, columns];
        foreach (var line in Lines)
        {
            foreach (var (x, y) in Dots(line, columns, Rows, low, high, first, last))
            {
                cells[y, x] = new(line.Letter, line.Color);
            }
        }
        return cells;
    }

    /// <summary>The dots of a curve: the mean of the values in each column, joined by straight lines.</summary>
    private static IEnumerable<(int X, int Y)> Dots(ChartLine line, int width, int height, double low, double high, double first, double last)
    {
        var sums = new (double Sum, int Count)[width];
        foreach (var point in line.Points)
        {
            var x = last > first ? (int)Math.Round((point.Step - first) / (last - first) * (width - 1)) : 0;
            sums[x] = (sums[x].Sum + point.Value, sums[x].Count + 1);
        }
        (int X, int Y)? before = null;
        for (var x = 0; x < width; x++)
        {
            if (sums[x].Count == 0)
            {
                continue;
            }
            var share = (sums[x].Sum / sums[x].Count - low) / (high - low);
            var y = (int)Math.Round((1 - Math.Clamp(share, 0, 1)) * (height - 1));
            foreach (var dot in before is { } from ? Between(from, (x, y)) : [(x, y)])
            {
                yield return dot;
            }
            before = (x, y);
        }
    }

    /// <summary>The dots of a straight line, both ends included. Source: Bresenham (1965), Algorithm for computer control of a digital plotter.</summary>
    private static IEnumerable<(int X, int Y)> Between((int X, int Y) from, (int X, int Y) to)
    {
        var (dx, dy) = (Math.Abs(to.X - from.X), -Math.Abs(to.Y - from.Y));
        var (sx, sy) = (Math.Sign(to.X - from.X), Math.Sign(to.Y - from.Y));
        var (x, y, error) = (from.X, from.Y, dx + dy);
        while (true)
        {
            yield return (x, y);
            if (x == to.X && y == to.Y)
            {
                yield break;
            }
            var twice = 2 * error;
            if (twice >= dy)
            {
                (error, x) = (error + dy, x + sx);
            }
            if (twice <= dx)
            {
                (error, y) = (error + dx, y + sy);
            }
        }
    }

    /// <summary>A row of cells, neighbours of one colour joined.</summary>
    private static IEnumerable<Segment> Segments(Cell[,] cells, int row, int columns)
    {
        for (var start = 0; start < columns;)
        {
            var end = start + 1;
            while (end < columns && cells[row, end].Color == cells[row, start].Color)
            {
                end++;
            }
            var text = string.Create(end - start, (cells, row, start), static (target, source) =>
            {
                for (var i = 0; i < target.Length; i++)
                {
                    var symbol = source.cells[source.row, source.start + i].Symbol;
                    target[i] = symbol == 0 ? ' ' : symbol;
                }
            });
            yield return cells[row, start].Color is { } color ? new Segment(text, new Style(color)) : new Segment(text);
            start = end;
        }
    }

    private static string Fit(string text, int width) => text.Length > width ? text[..width] : text.PadLeft(width);

    private readonly record struct Cell(char Symbol, Color? Color);
}

/// <summary>A curve of a <see cref="CurveChart"/>.</summary>
/// <param name="Points">Finite values, by step.</param>
/// <param name="Color">Its colour.</param>
/// <param name="Letter">Its letter where there is no Unicode.</param>
internal sealed record ChartLine(IReadOnlyList<CurvePoint> Points, Color Color, char Letter);

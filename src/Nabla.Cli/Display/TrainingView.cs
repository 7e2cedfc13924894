using Spectre.Console;
using Spectre.Console.Rendering;

namespace Nabla.Cli;

/// <summary>One picture of a run: what it is, how far, its curves and figures. It fits the given height, leaving out what matters least.</summary>
/// <param name="snapshot">Where the run stands.</param>
/// <param name="height">Lines that it may use.</param>
internal sealed class TrainingView(DisplaySnapshot snapshot, int height) : Renderable
{
    private const int TwoChartsFrom = 96;     // columns that two charts need side by side
    private const int ChartRows = 13, LeastChartRows = 4;

    private static readonly Style Quiet = new(decoration: Decoration.Dim);
    private static readonly Style Strong = new(decoration: Decoration.Bold);
    private static readonly Color Training = Color.DodgerBlue1, Validation = Color.Orange1, Test = Color.Green3;
    private static readonly string[] Splits = ["train", "validation", "test"];

    /// <inheritdoc/>
    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        List<Line> lines = [Title(), About(), new()];
        lines.AddRange(Progress(options, maxWidth));
        var table = Table();
        var footer = Footer();
        var left = height - lines.Count - footer.Count - table.Count - 1;
        lines.AddRange(Charts(options, maxWidth, left));
        if (height - lines.Count - footer.Count > table.Count)
        {
            lines.Add(new());
        }
        lines.AddRange(table.Take(Math.Max(0, height - lines.Count - footer.Count)));
        lines.AddRange(footer);
        foreach (var line in lines.Take(height))
        {
            foreach (var segment in line.Within(maxWidth, options.Unicode))
            {
                yield return segment;
            }
            yield return Segment.LineBreak;
        }
    }

    private Line Title()
    {
        var run = snapshot.Run;
        var line = new Line().Add(DisplayText.Line(run.Name), new Style(Training, decoration: Decoration.Bold));
        return snapshot.Outcome is { } outcome
            ? line.Add("  ").Add(outcome.Status.Replace('-', ' '), new Style(outcome.Status is "completed" or "stopped-early" ? Test : Color.Red, decoration: Decoration.Bold))
            : line.Add("  ").Add(snapshot.Progress?.Phase ?? "starting", Quiet);
    }

    private Line About()
    {
        var run = snapshot.Run;
        var parts = new[]
        {
            run.Model.Length > 0 ? run.Model : null,
            run.Parameters > 0 ? $"{MetricText.ShortCount(run.Parameters)} parameters" : null,
            run.Device, run.Precision,
            run.Examples > 0 ? $"{MetricText.Count(run.Examples)} examples" : null,
            run.Data.Length > 0 && run.Data != run.Name ? run.Data : null,
        };
        return new Line().Add(DisplayText.Line(string.Join(", ", parts.Where(part => part is { Length: > 0 }))), Quiet);
    }

    private IEnumerable<Line> Progress(RenderOptions options, int width)
    {
        var (run, progress) = (snapshot.Run, snapshot.Progress);
        var epoch = snapshot.Share >= 1 ? 1 : progress?.EpochShare ?? 0;
        var step = progress?.Step ?? run.ResumedAtStep;
        var time = $"{DisplayText.Clock(snapshot.Elapsed)}{(snapshot.Remaining is { } rest ? $", about {DisplayText.Clock(rest)} left" : "")}";
        var steps = run.Steps > 0 ? $"step {MetricText.Count(step)} of {MetricText.Count(run.Steps)}" : $"step {MetricText.Count(step)}";
        (string Name, double Share, string Text)[] bars =
        [
            ($"epoch {Math.Max(1, progress?.Epoch ?? 1)}/{Math.Max(1, run.Epochs)}", epoch, steps),
            ("run", snapshot.Share, time),
        ];
        var (nameWidth, textWidth) = (bars.Max(bar => bar.Name.Length), Math.Max(bars.Max(bar => bar.Text.Length), 24));
        foreach (var (name, share, text) in bars)
        {
            var cells = Math.Clamp(width - nameWidth - textWidth - 10, 6, 60);
            var full = (int)Math.Round(Math.Clamp(share, 0, 1) * cells);
            yield return new Line().Add(name.PadRight(nameWidth + 1))
                .Add(new string(options.Unicode ? '\u2501' : '#', full), new Style(Training))
                .Add(new string(options.Unicode ? '\u2500' : '-', cells - full), Quiet)
                .Add(DisplayText.Percent(share).PadLeft(6)).Add("  ").Add(text, Quiet);
        }
    }

    /// <summary>The loss and the metric that tells most, side by side or below each other, as far as there is room.</summary>
    private IEnumerable<Line> Charts(RenderOptions options, int width, int room)
    {
        var measures = snapshot.Metrics.Where(metric => metric.Points.Count > 0 && Splits.Contains(MetricText.Split(metric.Name)))
            .GroupBy(metric => MetricText.Measure(metric.Name))
            .Where(group => group.Any(metric => MetricText.Split(metric.Name) != "test"))
            .OrderBy(group => group.Key == "loss" ? 0 : 1).ThenByDescending(group => group.Max(metric => metric.Points.Count > 1 ? 1 : 0)).ThenBy(group => MainOrder(group.Key))
            .Take(2).ToList();
        if (measures.Count == 0 || room < LeastChartRows + 3)
        {
            yield break;
        }
        var sideBySide = measures.Count > 1 && width >= TwoChartsFrom;
        var stacked = measures.Count > 1 && !sideBySide && room >= 2 * (LeastChartRows + 3);
        var rows = Math.Clamp(stacked ? (room / 2) - 3 : room - 3, LeastChartRows, ChartRows);
        if (sideBySide)
        {
            var half = (width - 3) / 2;
            var (left, right) = (Chart(options, measures[0], half, rows), Chart(options, measures[1], half, rows));
            for (var i = 0; i < left.Count; i++)
            {
                yield return new Line().Add(left[i].Padded(half, options.Unicode)).Add("   ").Add(right[i]);
            }
            yield break;
        }
        foreach (var line in measures.Take(stacked ? 2 : 1).SelectMany(measure => Chart(options, measure, width, rows)))
        {
            yield return line;
        }
    }

    private static List<Line> Chart(RenderOptions options, IGrouping<string, MetricState> measure, int width, int rows)
    {
        // A single test value is in the table; it is no curve.
        var curves = measure.Where(metric => MetricText.Split(metric.Name) != "test").OrderBy(metric => Array.IndexOf(Splits, MetricText.Split(metric.Name))).ToList();
        var title = new Line().Add(DisplayText.Line(measure.Key), Strong);
        foreach (var curve in curves)
        {
            var split = MetricText.Split(curve.Name);
            title.Add("  ").Add(options.Unicode ? "\u25cf " : $"{LetterOf(split)} ", new Style(ColorOf(split))).Add($"{split} ", Quiet).Add(MetricText.Value(curve.Name, curve.Last));
        }
        CurveChart chart = new()
        {
            Lines = [.. curves.Select(curve => new ChartLine(curve.Points, ColorOf(MetricText.Split(curve.Name)), LetterOf(MetricText.Split(curve.Name))))],
            Rows = rows,
            Label = value => MetricText.IsShare(measure.Key) ? $"{value * 100:0} %" : MetricText.Number(value),
        };
        List<Line> lines = [new(), title];
        lines.AddRange(Segment.SplitLines(((IRenderable)chart).Render(options, width), width).Select(line => new Line().Add(line)));
        return lines;
    }

    /// <summary>Metrics that have no chart of their own size: last values by split, and the best.</summary>
    private List<Line> Table()
    {
        var measures = snapshot.Metrics.Where(metric => Splits.Contains(MetricText.Split(metric.Name))).GroupBy(metric => MetricText.Measure(metric.Name))
            .OrderBy(group => group.Key == "loss" ? 0 : 1).ThenBy(group => MainOrder(group.Key)).ThenBy(group => group.Key, StringComparer.Ordinal).ToList();
        if (measures.Count == 0)
        {
            return [];
        }
        var splits = Splits.Where(split => snapshot.Metrics.Any(metric => MetricText.Split(metric.Name) == split)).ToList();
        const int column = 13;
        var nameWidth = Math.Clamp(measures.Max(group => group.Key.Length) + 2, 10, 24);
        var head = new Line().Add("".PadRight(nameWidth));
        splits.ForEach(split => head.Add(split.PadLeft(column), new Style(ColorOf(split))));
        head.Add("best".PadLeft(column), Quiet);
        List<Line> lines = [head];
        foreach (var group in measures)
        {
            var line = new Line().Add(DisplayText.Line(group.Key).PadRight(nameWidth));
            foreach (var split in splits)
            {
                var metric = group.FirstOrDefault(metric => MetricText.Split(metric.Name) == split);
                var style = metric is null || double.IsFinite(metric.Last) ? Style.Plain : new Style(Color.Red, decoration: Decoration.Bold);
                line.Add((metric is null ? "" : MetricText.Value(metric.Name, metric.Last)).PadLeft(column), style);
            }
            // The best of the validation split decides; the training split has the best only where there is no other.
            var best = group.FirstOrDefault(metric => MetricText.Split(metric.Name) == "validation") ?? group.First();
            var isNow = best.Last == best.Best;
            line.Add(MetricText.Value(best.Name, best.Best).PadLeft(column), isNow ? new Style(Test, decoration: Decoration.Bold) : Quiet);
            if (isNow && best.Points.Count > 1)
            {
                line.Add(" now", new Style(Test));
            }
            lines.Add(line);
        }
        return lines;
    }

    private List<Line> Footer()
    {
        if (snapshot.Outcome is { } outcome)
        {
            var end = new Line().Add($"{outcome.Status.Replace('-', ' ')} after {MetricText.Duration(snapshot.Elapsed)}");
            if (outcome.Note is { Length: > 0 } note)
            {
                end.Add($": {DisplayText.Line(note)}");
            }
            return outcome.Folder.Length > 0 ? [new(), end, new Line().Add(DisplayText.Line(outcome.Folder), Quiet)] : [new(), end];
        }
        if (snapshot.Progress is not { } progress)
        {
            return [];
        }
        var parts = new[]
        {
            double.IsNaN(progress.LearningRate) ? null : $"learning rate {DisplayText.Rate(progress.LearningRate)}",
            double.IsNaN(progress.ExamplesPerSecond) ? null : $"{MetricText.Number(Math.Round(progress.ExamplesPerSecond))} examples/s",
            progress.MemoryBytes > 0 ? $"{MetricText.Bytes(progress.MemoryBytes)} memory" : null,
        };
        var text = string.Join(", ", parts.Where(part => part is not null));
        return text.Length > 0 ? [new(), new Line().Add(text, Quiet)] : [];
    }

    private static int MainOrder(string measure)
    {
        var place = Array.IndexOf(["accuracy", "auc", "rmse", "perplexity", "map", "bleu", "f1"], measure);
        return place < 0 ? int.MaxValue : place;
    }

    private static Color ColorOf(string split) => split switch { "train" => Training, "validation" => Validation, _ => Test };

    private static char LetterOf(string split) => split switch { "train" => '*', "validation" => 'o', _ => '+' };

    /// <summary>A line of styled pieces that can be cut and padded.</summary>
    private sealed class Line
    {
        private readonly List<Segment> _segments = [];

        public Line Add(string text, Style? style = null)
        {
            if (text.Length > 0)
            {
                _segments.Add(new Segment(text, style ?? Style.Plain));
            }
            return this;
        }

        public Line Add(IEnumerable<Segment> segments)
        {
            _segments.AddRange(segments.Where(segment => !segment.IsLineBreak));
            return this;
        }

        public Line Add(Line other) => Add(other._segments);

        /// <summary>The pieces within a width; what is cut off is shown by an ellipsis.</summary>
        public List<Segment> Within(int width, bool unicode) => Segment.CellCount(_segments) <= width
            ? _segments
            : [.. Segment.Truncate(_segments, width - 1), new Segment(unicode ? "\u2026" : ">")];

        public IEnumerable<Segment> Padded(int width, bool unicode)
        {
            var segments = Within(width, unicode).ToList();
            return [.. segments, new Segment(new string(' ', Math.Max(0, width - Segment.CellCount(segments))))];
        }
    }
}

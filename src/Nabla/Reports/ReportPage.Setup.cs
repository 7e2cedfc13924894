namespace Nabla;

internal sealed partial class ReportPage
{
    private const int MaxLabels = 24;

    private void WriteDataCard()
    {
        if (data.DataCard is not { } card)
        {
            return;
        }
        Begin("data", "Data");
        _html.Write($"<h3>{card.Name}</h3>");
        foreach (var paragraph in card.Description.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            _html.Write($"""<p class="prose">{paragraph}</p>""");
        }
        WriteFacts([new("licence", card.Licence), new("source", card.Source), new("content hash", card.ContentHash), .. card.Facts]);
        if (card.Splits.Count > 0)
        {
            BeginTable("Splits", "numbers");
            _html.Write($"""<thead><tr><th scope="col">split</th><th scope="col">examples</th></tr></thead><tbody>""");
            foreach (var split in card.Splits)
            {
                _html.Write($"""<tr><th scope="row">{split.Name}</th><td>{MetricText.Count(split.Examples)}</td></tr>""");
            }
            _html.Write($"</tbody>");
            EndTable();
        }
        WriteLabels([.. card.Splits.Where(split => split.Labels.Count > 0)]);
        End();
    }

    private void WriteLabels(List<ReportSplit> splits)
    {
        if (splits.Count == 0)
        {
            return;
        }
        var labels = splits.SelectMany(split => split.Labels).GroupBy(label => label.Label)
            .Select(group => group.Key).ToList();
        long CountOf(ReportSplit split, string label) => split.Labels.Where(entry => entry.Label == label).Sum(entry => entry.Count);
        var shown = labels.Count <= MaxLabels ? labels : [.. labels.OrderByDescending(label => CountOf(splits[0], label)).Take(MaxLabels)];
        var most = splits.ConvertAll(split => Math.Max(1, split.Labels.Max(label => label.Count)));
        BeginTable(shown.Count < labels.Count ? $"Examples of each label, the {MaxLabels} most frequent of {MetricText.Count(labels.Count)}" : "Examples of each label", "numbers scores");
        _html.Write($"""<thead><tr><th scope="col">label</th>""");
        foreach (var split in splits)
        {
            _html.Write($"""<th scope="col">{split.Name}</th>""");
        }
        _html.Write($"</tr></thead><tbody>");
        foreach (var label in shown)
        {
            _html.Write($"""<tr><th scope="row">{label}</th>""");
            for (var i = 0; i < splits.Count; i++)
            {
                var count = CountOf(splits[i], label);
                _html.Write($"<td>{MetricText.Count(count)}");
                WriteBar((double)count / most[i]);
                _html.Write($"</td>");
            }
            _html.Write($"</tr>");
        }
        _html.Write($"</tbody>");
        EndTable();
    }

    private void WriteModel()
    {
        if (data.Model is not { } model)
        {
            return;
        }
        Begin("model", "Model");
        WriteFacts(
        [
            new("model", model.Name),
            new("parameters", MetricText.Count(model.Parameters)),
            new("trained", model.TrainableParameters == model.Parameters || model.TrainableParameters == 0 ? "" : MetricText.Count(model.TrainableParameters)),
            new("multiply-adds an example", model.MultiplyAdds is { } total ? MetricText.ShortCount(total) : ""),
            .. model.Facts,
        ]);
        if (model.Layers.Count > 0)
        {
            BeginTable("Layers in the order of computation; the bar is the share of all parameters", "numbers layers scores");
            _html.Write($"""<thead><tr><th scope="col">layer</th><th scope="col">type</th><th scope="col">output</th><th scope="col">parameters</th><th scope="col">multiply-adds</th></tr></thead><tbody>""");
            foreach (var layer in model.Layers)
            {
                _html.Write($"""<tr><th scope="row">{layer.Name}</th><td class="word">{layer.Type}</td><td class="word"><code>{layer.OutputShape}</code></td><td>{MetricText.Count(layer.Parameters)}""");
                WriteBar(model.Parameters > 0 ? (double)layer.Parameters / model.Parameters : 0);
                _html.Write($"</td><td>{(layer.MultiplyAdds is { } count ? MetricText.ShortCount(count) : "")}</td></tr>");
            }
            _html.Write($"</tbody>");
            EndTable();
        }
        End();
    }

    private void WriteSettings()
    {
        if (data.Settings.Length == 0)
        {
            return;
        }
        Begin("settings", "Settings", "The resolved recipe, with every default filled in. Saved as a file it repeats the run.");
        _html.Write($"""<pre class="card yaml" tabindex="0" aria-label="Recipe"><code>""");
        foreach (var line in data.Settings.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var comment = line.AsSpan().TrimStart().StartsWith("#");
            if (comment)
            {
                _html.Write($"""<span class="muted">{line}</span>""");
            }
            else if (colon > 0 && (colon == line.Length - 1 || line[colon + 1] == ' '))
            {
                _html.Write($"""<span class="key">{line[..colon]}</span>:{line[(colon + 1)..]}""");
            }
            else
            {
                _html.Write($"{line}");
            }
            _html.Write($"\n");
        }
        _html.Write($"</code></pre>");
        End();
    }

    private void WriteEnvironment()
    {
        if (data.Environment.Count == 0 && data.Resources.Count == 0)
        {
            return;
        }
        Begin("environment", "Environment");
        foreach (var (title, facts) in new[] { ("Time and memory", data.Resources), ("Software and machine", data.Environment) })
        {
            if (facts.Count == 0)
            {
                continue;
            }
            BeginTable(title, "facts-table");
            _html.Write($"<tbody>");
            foreach (var fact in facts)
            {
                _html.Write($"""<tr><th scope="row">{fact.Name}</th><td>{fact.Value}</td></tr>""");
            }
            _html.Write($"</tbody>");
            EndTable();
        }
        End();
    }
}

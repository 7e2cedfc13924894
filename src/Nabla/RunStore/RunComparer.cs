namespace Nabla;

/// <summary>Sets runs side by side.</summary>
internal static class RunComparer
{
    public static RunComparison Compare(IReadOnlyList<RunDetails> runs)
    {
        var settings = runs.Select(run => run.Settings.GroupBy(fact => fact.Name).ToDictionary(group => group.Key, group => group.Last().Value)).ToList();
        var keys = runs.SelectMany(run => run.Settings).Select(fact => fact.Name).Distinct();
        var metrics = runs.SelectMany(run => run.Summary.Metrics).Select(metric => metric.Name).Distinct().Order(StringComparer.Ordinal);
        return new(
            [.. runs.Select(run => run.Summary)],
            [.. keys.Select(key => new RunSettingRow(key, [.. settings.Select(values => values.GetValueOrDefault(key))]))
                .Where(row => row.Values.Distinct().Count() > 1)],
            [.. metrics.Select(name => Row(name, [.. runs.Select(run => run.Summary.Metrics.FirstOrDefault(metric => metric.Name == name))]))]);
    }

    private static RunMetricRow Row(string name, IReadOnlyList<RunMetric?> values)
    {
        var best = values.Select((metric, index) => (metric, index)).Where(pair => pair.metric is not null && !double.IsNaN(pair.metric.Best)).ToList();
        if (best.Count == 0)
        {
            return new(name, values, null);
        }
        var top = MetricText.HigherIsBetter(name) ? best.Max(pair => pair.metric!.Best) : best.Min(pair => pair.metric!.Best);
        var winners = best.Where(pair => pair.metric!.Best == top).ToList();
        return new(name, values, winners.Count == 1 ? winners[0].index : null);
    }
}

using System.Globalization;
using System.Text;

namespace Nabla.Models;

/// <summary>Writes a <see cref="ModelSummary"/> as an aligned table.</summary>
internal static class ModelSummaryText
{
    private static readonly string[] Heads = ["layer", "type", "output", "parameters", "multiply-adds"];

    public static string Write(ModelSummary summary, int maxDepth)
    {
        List<string[]> rows = [Heads];
        List<LayerSummary> ancestors = [];
        foreach (var layer in summary.Layers)
        {
            ancestors.RemoveAll(ancestor => !IsInside(layer, ancestor));
            if (ancestors.Count <= maxDepth)
            {
                var part = ancestors.Count == maxDepth ? [.. summary.Layers.Where(other => IsInside(other, layer))] : (LayerSummary[])[layer];
                rows.Add(
                [
                    Name(layer, ancestors),
                    layer.Type,
                    string.Join(" ", layer.OutputShapes.Select(shape => ShapeException.Format([.. shape]))),
                    Count(part.Sum(row => row.Parameters)),
                    Count(part.Sum(row => row.MultiplyAdds)),
                ]);
            }
            ancestors.Add(layer);
        }
        var widths = Heads.Select((_, column) => rows.Max(row => row[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => column >= 3 ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            text.Append(string.Join("  ", cells).TrimEnd()).Append('\n');
        }
        var memory = summary.Memory;
        text.Append('\n')
            .Append(CultureInfo.InvariantCulture, $"inputs         {string.Join(" ", summary.InputShapes.Select(shape => ShapeException.Format([.. shape])))}\n")
            .Append(CultureInfo.InvariantCulture, $"parameters     {summary.Parameters:N0} ({summary.TrainableParameters:N0} trained, {summary.FrozenParameters:N0} frozen)\n")
            .Append(CultureInfo.InvariantCulture, $"multiply-adds  {summary.MultiplyAdds:N0}\n")
            .Append(CultureInfo.InvariantCulture, $"memory         {Size(memory.Total)} = parameters {Size(memory.Parameters)} + gradients {Size(memory.Gradients)} + optimizer {Size(memory.Optimizer)} + activations {Size(memory.Activations)} (estimated)\n");
        return text.ToString();
    }

    /// <summary>The path below the nearest ancestor that has a row, indented under it.</summary>
    private static string Name(LayerSummary layer, List<LayerSummary> ancestors) => ancestors switch
    {
        [] => "(model)",
        [_] => layer.Path,
        [.., var parent] => new string(' ', 2 * (ancestors.Count - 1)) + layer.Path[(parent.Path.Length + 1)..],
    };

    private static bool IsInside(LayerSummary layer, LayerSummary ancestor)
        => layer.Path == ancestor.Path || ancestor.Path.Length == 0 || layer.Path.StartsWith(ancestor.Path + ".", StringComparison.Ordinal);

    private static string Count(long count) => count == 0 ? "-" : count.ToString("N0", CultureInfo.InvariantCulture);

    private static string Size(long bytes) => bytes < 1 << 20
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:0.0} KiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (1024.0 * 1024):0.0} MiB");
}

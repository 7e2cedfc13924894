using System.Text.Json.Nodes;

namespace Nabla.Benchmarks;

/// <summary>Result of <see cref="BenchmarkRunner"/>: the machine and all rows.</summary>
/// <param name="Machine">What the machine can do.</param>
/// <param name="Rows">The rows, suite by suite.</param>
public sealed record BenchmarkReport(MachineLimits Machine, IReadOnlyList<BenchmarkRow> Rows)
{
    /// <summary>Whether every must that was measured holds.</summary>
    public bool Holds => Rows.All(row => row.Holds != false);

    /// <summary>Title of the column of goals that this machine belongs to.</summary>
    public string Column => MachineColumn.Of(Machine.Processor).Title;

    /// <summary>The object that <c>nabla bench --json</c> prints: <c>machine</c> and <c>rows</c>.</summary>
    public JsonObject ToJson() => new()
    {
        ["machine"] = Machine.ToJson(),
        ["rows"] = new JsonArray([.. Rows.Select(row => row.ToJson())]),
    };

    /// <summary>A plot of all ratios as one SVG file.</summary>
    public string ToSvg() => RatioPlot.Draw(this);
}

using System.Globalization;
using System.Text.Json.Nodes;

namespace Nabla.Benchmarks;

/// <summary>One measured line of a suite. Numbers that a line does not have are null.</summary>
public sealed record BenchmarkRow
{
    /// <summary>Suite, such as <c>train</c>.</summary>
    public required string Suite { get; init; }

    /// <summary>What was measured, such as <c>W6</c>.</summary>
    public required string Workload { get; init; }

    /// <summary>Sizes, and what is compared with what.</summary>
    public required string Description { get; init; }

    /// <summary>What <see cref="Ratio"/> means: speed-up (reference time / Nabla time), time (Nabla / reference), memory (Nabla / reference); empty without one.</summary>
    public string RatioOf { get; init; } = "";

    /// <summary>Median over the rounds.</summary>
    public double? Ratio { get; init; }

    /// <summary>10 % quantile of the rounds' ratios.</summary>
    public double? Low { get; init; }

    /// <summary>90 % quantile of the rounds' ratios.</summary>
    public double? High { get; init; }

    /// <summary>Achieved share of the peak of the precision in use, in [0, 1].</summary>
    public double? ShareOfPeak { get; init; }

    /// <summary>Median seconds of Nabla.</summary>
    public double? Seconds { get; init; }

    /// <summary>Median seconds of what it is compared with.</summary>
    public double? ReferenceSeconds { get; init; }

    /// <summary>Peak memory of Nabla's process, in bytes.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>Peak memory of the reference's process, in bytes.</summary>
    public long? ReferenceMemoryBytes { get; init; }

    /// <summary>Precision in use, such as bfloat16-mixed; null where it means nothing.</summary>
    public string? Precision { get; init; }

    /// <summary>A measured number that is no ratio.</summary>
    public double? Value { get; init; }

    /// <summary>Unit of <see cref="Value"/>.</summary>
    public string? Unit { get; init; }

    /// <summary>What is to be reached on this machine.</summary>
    public IReadOnlyList<BenchmarkGoal> Goals { get; init; } = [];

    /// <summary>Whether every must holds; null when there is none.</summary>
    public bool? Holds => Goals.Count == 0 ? null : Goals.All(goal => goal.Holds(Measured(goal)));

    /// <summary>The number that a goal is about; NaN when it was not measured.</summary>
    /// <param name="goal">One of <see cref="Goals"/>.</param>
    public double Measured(BenchmarkGoal goal)
    {
        ArgumentNullException.ThrowIfNull(goal);
        return goal.Measure switch
        {
            BenchmarkGoal.Ratio => Ratio,
            BenchmarkGoal.ShareOfPeak => ShareOfPeak,
            _ => Value,
        } ?? double.NaN;
    }

    /// <summary>The row as JSON; every key is always there.</summary>
    public JsonObject ToJson() => new()
    {
        ["suite"] = Suite,
        ["workload"] = Workload,
        ["description"] = Description,
        ["ratio_of"] = RatioOf,
        ["ratio"] = Number(Ratio),
        ["low"] = Number(Low),
        ["high"] = Number(High),
        ["share_of_peak"] = Number(ShareOfPeak),
        ["seconds"] = Number(Seconds),
        ["reference_seconds"] = Number(ReferenceSeconds),
        ["memory_bytes"] = MemoryBytes,
        ["reference_memory_bytes"] = ReferenceMemoryBytes,
        ["precision"] = Precision,
        ["value"] = Number(Value),
        ["unit"] = Unit,
        ["goals"] = new JsonArray([.. Goals.Select(goal => new JsonObject
        {
            ["measure"] = goal.Measure,
            ["bound"] = goal.IsUpper ? "upper" : "lower",
            ["must"] = goal.Must,
            ["aim"] = goal.Aim,
            ["holds"] = goal.Holds(Measured(goal)),
            ["reaches_aim"] = goal.ReachesAim(Measured(goal)),
        })]),
        ["holds"] = Holds,
    };

    /// <summary>Rounded to five digits, so that a line stays readable.</summary>
    private static JsonValue? Number(double? value)
        => value is { } number && double.IsFinite(number) ? JsonValue.Create(double.Parse(number.ToString("G5", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture)) : null;
}

using System.Globalization;

namespace Nabla.Benchmarks;

/// <summary>A number that is to be reached on machines of one column: what must be, and what is aimed at.</summary>
/// <param name="Measure">What is compared: <c>ratio</c>, <c>share_of_peak</c> or <c>value</c> of the row.</param>
/// <param name="IsUpper">Whether the numbers are upper bounds (times, memory) instead of lower ones (speed).</param>
/// <param name="Must">The bound that must hold.</param>
/// <param name="Aim">The bound to aim at; null: none beyond the first.</param>
public sealed record BenchmarkGoal(string Measure, bool IsUpper, double Must, double? Aim = null)
{
    /// <summary>Measured values compared with the goals: ratio of two sides.</summary>
    public const string Ratio = "ratio";

    /// <summary>Achieved share of the machine's peak.</summary>
    public const string ShareOfPeak = "share_of_peak";

    /// <summary>The row's own value.</summary>
    public const string Value = "value";

    /// <summary>Whether a measured number holds the bound that must be; false when it is not a number.</summary>
    /// <param name="measured">The measured number.</param>
    public bool Holds(double measured) => IsUpper ? measured <= Must : measured >= Must;

    /// <summary>Whether a measured number reaches the aim (the must where there is no other).</summary>
    /// <param name="measured">The measured number.</param>
    public bool ReachesAim(double measured) => IsUpper ? measured <= (Aim ?? Must) : measured >= (Aim ?? Must);

    /// <summary>As <c>&gt;= 3.3x / 4.5x</c>.</summary>
    public override string ToString()
    {
        var sign = IsUpper ? "<=" : ">=";
        return Aim is { } aim ? $"{sign} {Text(Must)} / {Text(aim)}" : $"{sign} {Text(Must)}";
    }

    private string Text(double number) => Measure switch
    {
        ShareOfPeak => string.Create(CultureInfo.InvariantCulture, $"{number:0.#%} of peak"),
        Ratio => string.Create(CultureInfo.InvariantCulture, $"{number:0.##}x"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{number:0.###}"),
    };
}

using System.Globalization;
using System.Text.Json;

namespace Nabla.Benchmarks;

/// <summary>
/// Peak memory of one side of a workload. Each side runs in a process of its own, because what one side has freed the other would find
/// and reuse; the figure is the largest resident set that the system has seen, with the runtime and libtorch in it.
/// </summary>
internal static class ChildMemory
{
    public const string RawSide = "raw", NablaSide = "nabla";

    /// <summary>The first step makes the optimiser's state, the second needs it together with all gradients; a third changes nothing more.</summary>
    private const int Steps = 3;

    /// <summary>The defaults of the C library on two cores, which Nabla leaves alone where they are given: the raw side is measured as without Nabla.</summary>
    private static readonly Dictionary<string, string> Defaults = new() { ["MALLOC_TRIM_THRESHOLD_"] = "131072", ["MALLOC_ARENA_MAX"] = (8 * Environment.ProcessorCount).ToString(CultureInfo.InvariantCulture) };

    public static IReadOnlyList<string> Sides { get; } = [RawSide, NablaSide];

    /// <summary>Starts this program for one side and reads its answer.</summary>
    public static long Measure(string workload, string side, SuiteContext context)
    {
        var threads = context.Machine.Threads.ToString(CultureInfo.InvariantCulture);
        var (output, _) = OwnProgram.Run(["bench", "--side", side, "--workload", workload, "--threads", threads, "--precision", context.Options.Precision, "--json"], context.CancellationToken, side == RawSide ? Defaults : null);
        using var answer = JsonDocument.Parse(output.TrimEnd().Split('\n')[^1]);
        return answer.RootElement.GetProperty("peak_bytes").GetInt64();
    }

    /// <summary>Takes the steps in this process.</summary>
    public static long Run(TrainingWorkload workload, string side, string precision)
    {
        using var own = side == RawSide ? TensorHeap.Pause() : null; // libtorch's own allocator, as without Nabla
        using var step = side == RawSide ? workload.Baseline() : workload.Nabla(precision);
        for (var i = 0; i < Steps; i++)
        {
            step.Step();
        }
        return ResidentMemory.Peak();
    }
}

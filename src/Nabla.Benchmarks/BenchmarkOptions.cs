namespace Nabla.Benchmarks;

/// <summary>What <see cref="BenchmarkRunner"/> measures, and how long.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Suites to run, of <see cref="BenchmarkRunner.Suites"/>. Default: train.</summary>
    public IReadOnlyList<string> Suites { get; init; } = ["train"];

    /// <summary>Workloads to run, such as W6, in the suites that have them; null: all. Default: null.</summary>
    public IReadOnlyList<string>? Workloads { get; init; }

    /// <summary>Rounds of each measurement, each A B B A, from 1 to 1000. Default: 7.</summary>
    public int Rounds { get; init; } = 7;

    /// <summary>Threads of both sides; null: one for each core. Default: null.</summary>
    public int? Threads { get; init; }

    /// <summary>Device of both sides: cpu, cuda or cuda:n. Goals and memory are for the CPU. Default: cpu.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Precision of Nabla's side: auto, float32, bfloat16-mixed or float16-mixed; the raw side is always float32. Default: auto.</summary>
    public string Precision { get; init; } = PrecisionPolicy.Auto;

    /// <summary>Whether the suite <c>train</c> also measures the peak memory of W6, each side in a process of its own. Default: true.</summary>
    public bool Memory { get; init; } = true;

    /// <summary>Checks every value.</summary>
    /// <exception cref="OptionsException">A value cannot work.</exception>
    public void Validate()
    {
        var check = OptionsCheck.For(this)
            .Require(Suites.Count > 0, "suites must name at least one suite.")
            .Require(Rounds is >= 1 and <= 1000, $"rounds must be from 1 to 1000; it is {Rounds}.")
            .Require(Threads is null or (>= 1 and <= 1024), $"threads must be from 1 to 1024; it is {Threads}.")
            .OneOf("precision", Precision, [PrecisionPolicy.Auto, PrecisionPolicy.Float32, PrecisionPolicy.BFloat16Mixed, PrecisionPolicy.Float16Mixed]);
        foreach (var suite in Suites)
        {
            check = check.OneOf("suite", suite, BenchmarkRunner.Suites);
        }
        foreach (var workload in Workloads ?? [])
        {
            check = check.OneOf("workload", workload, [.. TrainingWorkloads.All.Select(known => known.Name)]);
        }
        check.ThrowIfAny();
    }
}

namespace Nabla.Benchmarks.Tests;

/// <summary>A machine and rows whose numbers are known.</summary>
internal static class ReportExamples
{
    public static ProcessorFeatures Processor { get; } = new()
    {
        Name = "Test <processor>",
        Cores = 2,
        Avx2 = true,
        Avx512 = true,
        Avx512Bf16 = true,
        Vnni = true,
        AmxBf16 = false,
        ArmSimd = false,
    };

    public static MachineLimits Limits { get; } = new()
    {
        Processor = Processor,
        Threads = 2,
        Units = 2,
        Float32MatrixRate = 80e9,
        Float32VectorRate = 70e9,
        BFloat16MatrixRate = 500e9,
        TriadBandwidth = 10e9,
    };

    /// <summary>W6 at 4 times the baseline and 40 % of the peak: one must holds, the other does not.</summary>
    public static BenchmarkRow Gpt { get; } = new()
    {
        Suite = "train",
        Workload = "W6",
        Description = "gpt",
        RatioOf = "speed-up",
        Ratio = 4,
        Low = 3.5,
        High = 4.5,
        ShareOfPeak = 0.4,
        Seconds = 0.25,
        ReferenceSeconds = 1,
        Precision = "bfloat16-mixed",
        Goals = BenchmarkGoals.For("train", "W6", MachineColumn.BFloat16),
    };

    public static BenchmarkRow Optimizer { get; } = new()
    {
        Suite = "optimizer",
        Workload = "AdamW direct",
        Description = "100 tensors",
        RatioOf = "time",
        Ratio = 1.05,
        Low = 1,
        High = 1.2,
        Goals = BenchmarkGoals.For("optimizer", "AdamW direct", MachineColumn.BFloat16),
    };

    public static BenchmarkRow Plain { get; } = new() { Suite = "machine", Workload = "memory", Description = "triad", Value = 10, Unit = "GB/s" };

    public static BenchmarkReport Report { get; } = new(Limits, [Gpt, Optimizer, Plain]);
}

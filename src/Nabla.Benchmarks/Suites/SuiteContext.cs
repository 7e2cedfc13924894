namespace Nabla.Benchmarks;

/// <summary>What a suite needs to run.</summary>
/// <param name="Options">What to measure.</param>
/// <param name="Machine">What the machine can do.</param>
/// <param name="Report">Hears what is measured now.</param>
/// <param name="CancellationToken">Looked at between measurements.</param>
internal sealed record SuiteContext(BenchmarkOptions Options, MachineLimits Machine, Action<string> Report, CancellationToken CancellationToken)
{
    /// <summary>Compares two actions in turns.</summary>
    /// <param name="a">The reference.</param>
    /// <param name="b">Nabla.</param>
    /// <param name="minimumSeconds">Length of a slice.</param>
    public RatioSummary Compare(Action a, Action b, double minimumSeconds = 0.2)
        => RatioSummary.Of(PairedTimer.Run(a, b, Options.Rounds, minimumSeconds, WorkloadDevice.Synchronize, CancellationToken));

    /// <summary>A row that says how many times as fast as the reference Nabla is.</summary>
    public BenchmarkRow SpeedUp(string suite, string workload, string description, RatioSummary ratio) => new()
    {
        Suite = suite,
        Workload = workload,
        Description = description,
        RatioOf = "speed-up",
        Ratio = ratio.Ratio,
        Low = ratio.Low,
        High = ratio.High,
        ReferenceSeconds = ratio.SecondsA,
        Seconds = ratio.SecondsB,
        Goals = Goals(suite, workload),
    };

    /// <summary>A row that says how many times as long as the reference Nabla takes.</summary>
    public BenchmarkRow TimeRatio(string suite, string workload, string description, RatioSummary ratio) => SpeedUp(suite, workload, description, ratio) with
    {
        RatioOf = "time",
        Ratio = 1 / ratio.Ratio,
        Low = 1 / ratio.High,
        High = 1 / ratio.Low,
    };

    /// <summary>A row of one measured number.</summary>
    public BenchmarkRow Single(string suite, string workload, string description, double value, string unit) => new()
    {
        Suite = suite,
        Workload = workload,
        Description = description,
        Value = value,
        Unit = unit,
        Goals = Goals(suite, workload),
    };

    /// <summary>The goals of a workload on this machine; they are for processors.</summary>
    public IReadOnlyList<BenchmarkGoal> Goals(string suite, string workload) => IsOnCpu ? BenchmarkGoals.For(suite, workload, MachineColumn.Of(Machine.Processor)) : [];

    /// <summary>Whether the processor computes.</summary>
    public static bool IsOnCpu => WorkloadDevice.Current.type == DeviceType.CPU;
}

namespace Nabla.Benchmarks;

/// <summary>The goals of issue 5 by suite and workload, in the column of a machine.</summary>
internal static class BenchmarkGoals
{
    private static readonly Dictionary<(string Suite, string Workload), (BenchmarkGoal[] BFloat16, BenchmarkGoal[] Avx2)> Table = new()
    {
        [("train", "W1")] = ([Faster(3, 5)], [Faster(1.6, 2.5)]),
        [("train", "W2")] = ([Faster(1.7, 2.5)], [Faster(1.2, 1.5)]),
        [("train", "W3")] = ([Faster(1.7, 2.5)], [Faster(1.5, 1.8)]),
        [("train", "W4")] = ([Faster(2, 3)], [Faster(1.15, 1.4)]),
        [("train", "W5")] = ([Faster(2.5, 3.5)], [Faster(1.5, 2.2)]),
        [("train", "W6")] = ([Faster(3.3, 4.5), Share(0.5, 0.65)], [Faster(1.4, 1.75), Share(0.65, 0.8)]),
        [("train", "W7")] = ([Faster(2.5, 2.5)], [Faster(1.5, 2)]),
        [("train", "W8")] = ([Faster(2.5, 3.5)], [Faster(1.2, 1.5)]),
        [("train", "W6 memory")] = Same(new BenchmarkGoal(BenchmarkGoal.Ratio, IsUpper: true, 0.8), new BenchmarkGoal(BenchmarkGoal.Ratio, IsUpper: true, 0.9)),
        [("optimizer", "AdamW direct")] = Same(new BenchmarkGoal(BenchmarkGoal.Ratio, IsUpper: true, 1.1)),
        [("checkpoint", "W6 time lost")] = Same(new BenchmarkGoal(BenchmarkGoal.Value, IsUpper: true, 0.01)),
        [("startup", "shapes first step")] = Same(new BenchmarkGoal(BenchmarkGoal.Value, IsUpper: true, 2)),
    };

    /// <summary>All suites and workloads that have goals.</summary>
    public static IEnumerable<(string Suite, string Workload)> Keys => Table.Keys;

    /// <summary>The goals of a workload on a kind of machine; none when it has none.</summary>
    /// <param name="suite">Name of the suite.</param>
    /// <param name="workload">Name of the workload.</param>
    /// <param name="column">The kind of machine.</param>
    public static IReadOnlyList<BenchmarkGoal> For(string suite, string workload, MachineColumn column)
        => !Table.TryGetValue((suite, workload), out var goals) ? [] : column == MachineColumn.BFloat16 ? goals.BFloat16 : goals.Avx2;

    private static BenchmarkGoal Faster(double must, double aim) => new(BenchmarkGoal.Ratio, IsUpper: false, must, aim == must ? null : aim);

    private static BenchmarkGoal Share(double must, double aim) => new(BenchmarkGoal.ShareOfPeak, IsUpper: false, must, aim);

    private static (BenchmarkGoal[] BFloat16, BenchmarkGoal[] Avx2) Same(BenchmarkGoal goal, BenchmarkGoal? avx2 = null) => ([goal], [avx2 ?? goal]);
}

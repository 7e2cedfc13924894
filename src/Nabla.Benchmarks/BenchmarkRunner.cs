namespace Nabla.Benchmarks;

/// <summary>
/// Measures Nabla against raw TorchSharp and against the machine: both sides in one process, in turns, with the same threads. Everything
/// runs on the calling thread. Not thread-safe: nothing else should compute meanwhile.
/// </summary>
public static class BenchmarkRunner
{
    private static readonly Dictionary<string, Func<SuiteContext, IEnumerable<BenchmarkRow>>> All = new(StringComparer.Ordinal)
    {
        [MachineSuite.Name] = MachineSuite.Run,
        [TrainSuite.Name] = TrainSuite.Run,
        [OptimizerSuite.Name] = OptimizerSuite.Run,
        [LoaderSuite.Name] = LoaderSuite.Run,
        [KernelSuite.Name] = KernelSuite.Run,
        [StartupSuite.Name] = StartupSuite.Run,
        [CheckpointSuite.Name] = CheckpointSuite.Run,
    };

    /// <summary>Names of the suites, in the order in which all would run.</summary>
    public static IReadOnlyList<string> Suites { get; } = [.. All.Keys];

    /// <summary>Names of the workloads of the suite <c>train</c>, with their sizes.</summary>
    public static IReadOnlyList<(string Name, string Description)> Workloads { get; } = [.. TrainingWorkloads.All.Select(workload => (workload.Name, workload.Description))];

    /// <summary>The sides of a training workload: raw TorchSharp and Nabla.</summary>
    public static IReadOnlyList<string> Sides => ChildMemory.Sides;

    /// <summary>Runs suites.</summary>
    /// <param name="options">What to measure; null: all defaults.</param>
    /// <param name="progress">Hears, in a line, what is measured now; null: nobody.</param>
    /// <param name="cancellationToken">Looked at between rounds.</param>
    /// <exception cref="OptionsException">The options cannot work.</exception>
    /// <exception cref="DeviceException">The device is not there.</exception>
    /// <exception cref="NablaException">A side cannot run, or its loss is not finite.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static BenchmarkReport Run(BenchmarkOptions? options = null, Action<string>? progress = null, CancellationToken cancellationToken = default)
    {
        options ??= new();
        options.Validate();
        return OnThreads(options.Threads, () =>
        {
            using var device = WorkloadDevice.Use(Devices.Parse(options.Device));
            var report = progress ?? (_ => { });
            SuiteContext context = new(options, MachineProbe.Measure(report), report, cancellationToken);
            List<BenchmarkRow> rows = [];
            foreach (var suite in options.Suites.Distinct())
            {
                rows.AddRange(All[suite](context));
            }
            return new BenchmarkReport(context.Machine, rows);
        });
    }

    /// <summary>Takes some steps of one side of a workload, for the memory that this process then has needed.</summary>
    /// <param name="workload">Name of the workload.</param>
    /// <param name="side">raw or nabla.</param>
    /// <param name="precision">Precision of Nabla's side.</param>
    /// <param name="threads">Threads; null: one for each core.</param>
    /// <returns>The largest resident memory of this process so far, in bytes.</returns>
    /// <exception cref="OptionsException">A name is not known.</exception>
    public static long PeakMemoryOf(string workload, string side, string precision, int? threads)
    {
        BenchmarkOptions options = new() { Workloads = [workload], Precision = precision, Threads = threads };
        options.Validate();
        OptionsCheck.For(options).OneOf("side", side, Sides).ThrowIfAny();
        return OnThreads(threads, () => ChildMemory.Run(TrainingWorkloads.All.Single(known => known.Name == workload), side, precision));
    }

    private static T OnThreads<T>(int? threads, Func<T> work)
    {
        NablaRuntime.EnsureLoaded();
        var before = get_num_threads();
        try
        {
            set_num_threads(threads ?? Environment.ProcessorCount);
            return work();
        }
        finally
        {
            set_num_threads(before);
        }
    }
}

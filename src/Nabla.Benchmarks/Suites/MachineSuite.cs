namespace Nabla.Benchmarks;

/// <summary>Suite <c>machine</c>: the limits of the machine as rows. They are measured in every run; this suite only shows them.</summary>
internal static class MachineSuite
{
    public const string Name = "machine";

    public static IEnumerable<BenchmarkRow> Run(SuiteContext context)
    {
        var machine = context.Machine;
        BenchmarkRow PerCore(string workload, string description, double rate) => context.Single(Name, workload, description, rate / machine.Units / 1e9, SuiteContext.IsOnCpu ? "GMAC/s a core" : "GMAC/s");
        yield return PerCore("float32 vector", "fused multiply-adds in registers", machine.Float32VectorRate);
        yield return PerCore("float32 matrix", "matrix products by libtorch (MKL)", machine.Float32MatrixRate);
        yield return PerCore("bfloat16 matrix", "matrix products by libtorch (oneDNN)", machine.BFloat16MatrixRate);
        yield return context.Single(Name, "memory", "triad a = b + s * c, all threads", machine.TriadBandwidth / 1e9, "GB/s");
    }
}

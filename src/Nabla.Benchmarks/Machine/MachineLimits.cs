using System.Text.Json.Nodes;

namespace Nabla.Benchmarks;

/// <summary>What this machine can do at most, measured by small kernels with the threads that the benchmarks use.</summary>
public sealed record MachineLimits
{
    /// <summary>The processor.</summary>
    public required ProcessorFeatures Processor { get; init; }

    /// <summary>Threads of the measurements.</summary>
    public required int Threads { get; init; }

    /// <summary>The device that was measured, such as <c>cpu</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>What rates are divided by to be shown: the threads on a processor, 1 on another device.</summary>
    public required int Units { get; init; }

    /// <summary>Multiply-adds a second of float32 matrix products by libtorch, all threads together.</summary>
    public required double Float32MatrixRate { get; init; }

    /// <summary>Multiply-adds a second of a float32 loop in vector registers, all threads together.</summary>
    public required double Float32VectorRate { get; init; }

    /// <summary>Multiply-adds a second of bfloat16 matrix products by libtorch, all threads together.</summary>
    public required double BFloat16MatrixRate { get; init; }

    /// <summary>Bytes a second of <c>a = b + s * c</c> on arrays beyond the caches; both reads and the write are counted.</summary>
    public required double TriadBandwidth { get; init; }

    /// <summary>The float32 peak: the faster of matrix products and vector loop.</summary>
    public double Float32Peak => Math.Max(Float32MatrixRate, Float32VectorRate);

    /// <summary>The bfloat16 peak.</summary>
    public double BFloat16Peak => BFloat16MatrixRate;

    /// <summary>The peak of a precision: of bfloat16 for <c>bfloat16-mixed</c>, of float32 otherwise.</summary>
    /// <param name="precision">Name of a precision.</param>
    public double PeakOf(string precision) => precision == PrecisionPolicy.BFloat16Mixed ? BFloat16Peak : Float32Peak;

    /// <summary>The rate of matrix products in a precision.</summary>
    /// <param name="precision">Name of a precision.</param>
    internal double MatrixRateOf(string precision) => precision == PrecisionPolicy.BFloat16Mixed ? BFloat16MatrixRate : Float32MatrixRate;

    /// <summary>The facts as JSON; rates are in 10^9 multiply-adds a second and core, bandwidth in 10^9 bytes a second.</summary>
    public JsonObject ToJson() => new()
    {
        ["processor"] = Processor.Name,
        ["features"] = Processor.Flags,
        ["column"] = MachineColumn.Of(Processor).Key,
        ["cores"] = Processor.Cores,
        ["threads"] = Threads,
        ["device"] = Device,
        ["memory_gib"] = Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1 << 30), 1),
        ["system"] = System.Runtime.InteropServices.RuntimeInformation.OSDescription,
        ["dotnet"] = Environment.Version.ToString(),
        ["libtorch"] = torch.__version__,
        ["float32_matrix_gmac_per_core"] = PerCore(Float32MatrixRate),
        ["float32_vector_gmac_per_core"] = PerCore(Float32VectorRate),
        ["float32_peak_gmac_per_core"] = PerCore(Float32Peak),
        ["bfloat16_peak_gmac_per_core"] = PerCore(BFloat16Peak),
        ["triad_gb_per_second"] = Math.Round(TriadBandwidth / 1e9, 2),
    };

    private double PerCore(double rate) => Math.Round(rate / Units / 1e9, 2);
}

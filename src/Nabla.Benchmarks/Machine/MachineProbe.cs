using System.Diagnostics;

namespace Nabla.Benchmarks;

/// <summary>Measures <see cref="MachineLimits"/>: the best of several repetitions of each kernel, a few seconds in all.</summary>
internal static class MachineProbe
{
    private const double SecondsEach = 0.6;
    private const double Growth = 8; // of the products, from one side to the next
    private static readonly long[] Sides = [512, 1024, 2048, 4096]; // the largest is beyond the caches, where packing is cheapest

    /// <summary>Measures this machine with the present number of torch threads.</summary>
    /// <param name="progress">Hears what is measured; null: nobody.</param>
    public static MachineLimits Measure(Action<string>? progress = null)
    {
        var onCpu = WorkloadDevice.Current.type == DeviceType.CPU;
        var threads = get_num_threads();
        progress?.Invoke("machine: float32 in registers");
        var vector = onCpu ? VectorPeak.MultiplyAddsPerSecond(threads, SecondsEach) : 0;
        progress?.Invoke("machine: float32 matrix products");
        var full = MatrixRate(ScalarType.Float32);
        progress?.Invoke("machine: bfloat16 matrix products");
        var half = MatrixRate(ScalarType.BFloat16);
        progress?.Invoke("machine: memory bandwidth");
        var triad = onCpu ? MemoryTriad.BytesPerSecond(threads, SecondsEach) : MemoryTriad.DeviceBytesPerSecond();
        return new()
        {
            Processor = ProcessorFeatures.Current,
            Threads = threads,
            Device = Devices.NameOf(WorkloadDevice.Current),
            Units = onCpu ? threads : 1,
            Float32VectorRate = vector,
            Float32MatrixRate = full,
            BFloat16MatrixRate = half,
            TriadBandwidth = triad,
        };
    }

    private static double MatrixRate(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var ungraded = no_grad();
        var best = 0.0;
        foreach (var side in Sides)
        {
            using var inner = NewDisposeScope();
            var (a, b) = (randn(side, side).to_type(type).to(WorkloadDevice.Current), randn(side, side).to_type(type).to(WorkloadDevice.Current));
            var products = (double)side * side * side;
            using (a.mm(b))
            {
                // Warm-up: kernels are made for the sizes.
            }
            WorkloadDevice.Synchronize();
            var began = Stopwatch.GetTimestamp();
            do
            {
                var start = Stopwatch.GetTimestamp();
                a.mm(b).Dispose();
                WorkloadDevice.Synchronize();
                best = Math.Max(best, products / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < SecondsEach / Sides.Length);
            if (Stopwatch.GetElapsedTime(began).TotalSeconds > SecondsEach || best * SecondsEach < products * Growth)
            {
                break; // the next size would take longer than all before, and change little
            }
        }
        return best;
    }
}

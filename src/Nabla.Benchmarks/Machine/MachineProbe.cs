using System.Diagnostics;

namespace Nabla.Benchmarks;

/// <summary>Measures <see cref="MachineLimits"/>: the best of several repetitions of each kernel, a few seconds in all.</summary>
internal static class MachineProbe
{
    private const double SecondsEach = 0.6;
    private static readonly long[] Sides = [512, 1024, 2048]; // the largest is beyond the caches, where packing is cheapest

    /// <summary>Measures this machine with the present number of torch threads.</summary>
    /// <param name="progress">Hears what is measured; null: nobody.</param>
    public static MachineLimits Measure(Action<string>? progress = null)
    {
        var threads = get_num_threads();
        progress?.Invoke("machine: float32 in registers");
        var vector = VectorPeak.MultiplyAddsPerSecond(threads, SecondsEach);
        progress?.Invoke("machine: float32 matrix products");
        var full = MatrixRate(ScalarType.Float32);
        progress?.Invoke("machine: bfloat16 matrix products");
        var half = MatrixRate(ScalarType.BFloat16);
        progress?.Invoke("machine: memory bandwidth");
        var triad = MemoryTriad.BytesPerSecond(threads, SecondsEach);
        return new()
        {
            Processor = ProcessorFeatures.Current,
            Threads = threads,
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
            var (a, b) = (randn(side, side).to_type(type), randn(side, side).to_type(type));
            var products = (double)side * side * side;
            using (a.mm(b))
            {
                // Warm-up: kernels are made for the sizes.
            }
            var began = Stopwatch.GetTimestamp();
            do
            {
                var start = Stopwatch.GetTimestamp();
                a.mm(b).Dispose();
                best = Math.Max(best, products / Stopwatch.GetElapsedTime(start).TotalSeconds);
            }
            while (Stopwatch.GetElapsedTime(began).TotalSeconds < SecondsEach / Sides.Length);
            if (best < products / SecondsEach / 8)
            {
                break; // emulated: eight times the work would take seconds and change nothing
            }
        }
        return best;
    }
}
